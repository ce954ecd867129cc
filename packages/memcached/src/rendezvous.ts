/**
 * Rendezvous hashing (Thaler and Ravishankar, 1996): each server draws a number for each key, and the highest has it. A
 * server that is added takes its share of the keys from all others, one that is removed gives its keys to all others, and
 * no other key moves. With weights: the highest of `-weight / ln(number)`, so that a server has its weight's share.
 */
export class Rendezvous {
  readonly #seeds: readonly number[];
  readonly #weights: readonly number[];

  /** @param servers their names, which are to be the same in every program, and their weights */
  constructor(servers: readonly { readonly name: string; readonly weight: number }[]) {
    this.#seeds = servers.map(({ name }) => hashOf(name));
    this.#weights = servers.map(({ weight }) => weight);
  }

  /** The place of the server that has the key. */
  placeOf(key: string): number {
    const hash = hashOf(key);
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (const [place, seed] of this.#seeds.entries()) {
      const drawn = (mixed(hash ^ seed) + 0.5) / 2 ** 32;
      const score = -(this.#weights[place] ?? 1) / Math.log(drawn);
      if (score <= highest) continue;
      highest = score;
      best = place;
    }
    return best;
  }
}

/** FNV-1a over UTF-16 units, then mixed: the names of servers and keys may differ in one digit only. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

/** The finalizer of MurmurHash3: every bit of the answer hangs on every bit of the number. */
function mixed(number: number): number {
  let hash = number;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
