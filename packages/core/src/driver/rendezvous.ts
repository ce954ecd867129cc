import { hashOf, mixed } from "../hash.js";

/** A destination of keys. */
export interface Member {
  /** The member's name. The same name gets the same keys everywhere. */
  readonly name: string;
  /** The member's share relative to the others, above 0. */
  readonly weight: number;
}

interface Seat<M extends Member> {
  readonly member: M;
  readonly seed: number;
}

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998) with weights (Schindelhauer and Schomaker,
 * 2005). Each member draws a lot for the key, and the highest wins. If a member is added to make N,
 * only the keys that it wins move, about 1 in N. If a member is removed, only its own keys move.
 */
export class Rendezvous<M extends Member> {
  #seats: readonly Seat<M>[] = [];

  /** The members, in the order of their names. */
  get members(): readonly M[] {
    return this.#seats.map(({ member }) => member);
  }

  set members(members: readonly M[]) {
    const inOrder = members.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    this.#seats = inOrder.map((member) => ({ member, seed: hashOf(member.name) }));
  }

  /** Returns the member that owns the key, `undefined` if there is no member. */
  of(key: string): M | undefined {
    if (this.#seats.length <= 1) return this.#seats[0]?.member;
    // Hashes the key once. Two keys of 32 equal bits have the same owner, which does no harm.
    const hash = hashOf(key);
    let best: M | undefined;
    let highest = Number.NEGATIVE_INFINITY;
    for (const { member, seed } of this.#seats) {
      const lot = member.weight / -Math.log(fraction(lotOf(hash, seed)));
      if (lot > highest) {
        highest = lot;
        best = member;
      }
    }
    return best;
  }
}

/** Mixes both twice, so that the lots of two members are unrelated. */
function lotOf(hash: number, seed: number): number {
  return mixed(Math.imul(mixed(hash ^ seed), 0x9e3779b1) ^ seed);
}

/** Returns a number above 0 and below 1. */
function fraction(bits: number): number {
  return ((bits >>> 0) + 0.5) / 2 ** 32;
}
