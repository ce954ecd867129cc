import type { TagStorage } from "../tiers/tag-reads.js";
import { type KnownGeneration, shared } from "./known-generation.js";
import { isSectionOf, pairsIn } from "./section.js";
import type { Tag } from "./tag.js";
import type { TagTable } from "./tag-table.js";

/** A tag of an entry whose generation the reader has not read with the entry. */
export interface Claim {
  readonly tag: Tag;
  /** The id of the generation that the entry was written under. */
  readonly id: string;
}

/**
 * Compares the generations of one entry after another with those that their storage has just
 * answered. One object serves all, because an entry is read in one go.
 */
export class Claims {
  readonly #table: TagTable;
  #own: readonly Tag[] | undefined;
  #storage: TagStorage | undefined;
  /** The generations of the last entry that agreed. */
  generations: readonly KnownGeneration[] | undefined;
  /** Its tags that the reader did not read. */
  claims: readonly Claim[] | undefined;

  constructor(table: TagTable) {
    this.#table = table;
  }

  /** @param own the tags of the node, whose generations the storage has answered */
  expect(own: readonly Tag[] | undefined, storage: TagStorage): this {
    this.#own = own;
    this.#storage = storage;
    this.generations = undefined;
    this.claims = undefined;
    return this;
  }

  /** Returns whether the section's generations agree. An entry without a tag of the node does not. */
  readonly agree = (section: string | undefined): boolean => {
    const own = this.#own;
    const storage = this.#storage;
    if (section === undefined) return own === undefined || own.length === 0;
    if (storage === undefined) return false;
    const generations = own === undefined ? none : sharedOf(own, storage);
    if (generations === undefined) return false;
    this.generations = generations;
    // Nearly every entry has just its node's tags in their order.
    if (isSectionOf(section, generations)) return true;
    const pairs = pairsIn(section);
    if (pairs === undefined) return false;
    for (const { tag, id } of generations) if (pairs.get(tag) !== id) return false;
    const claims: Claim[] = [];
    for (const [name, id] of pairs) {
      const tag = this.#table.of(name);
      if (own?.includes(tag) !== true) claims.push({ tag, id });
    }
    if (claims.length > 0) this.claims = claims;
    return true;
  };
}

const none: readonly KnownGeneration[] = [];

/** Does what {@link generationsOf} does, with the list of the last entry of these tags if there is one. */
function sharedOf(tags: readonly Tag[], storage: TagStorage): readonly KnownGeneration[] | undefined {
  const last = tags[0]?.in(storage)?.list;
  if (last !== undefined && areOf(last, tags, storage)) return last;
  const generations = generationsOf(tags, storage);
  return generations === undefined ? undefined : shared(generations);
}

/** Returns whether the generations are the current ones of the tags in the storage, in their order. */
function areOf(generations: readonly KnownGeneration[], tags: readonly Tag[], storage: TagStorage): boolean {
  if (tags.length !== generations.length) return false;
  for (let place = 0; place < tags.length; place++) {
    const known = generations[place];
    const isOfTag = known?.owner === tags[place] && known?.storage === storage;
    if (!isOfTag || !known.isCurrent || !known.isTold) return false;
  }
  return true;
}

/** Returns the tags' generations that the storage has answered; `undefined` if one is missing. */
function generationsOf(tags: readonly Tag[], storage: TagStorage): KnownGeneration[] | undefined {
  const generations: KnownGeneration[] = [];
  for (const tag of tags) {
    const known = tag.in(storage);
    if (known === undefined || !known.isTold) return undefined;
    generations.push(known);
  }
  return generations;
}

/** Returns the generations of the claimed tags if they agree with the storage's answer. */
export function confirmed(
  claims: readonly Claim[],
  storage: TagStorage,
): readonly KnownGeneration[] | undefined {
  const generations = generationsOf(
    claims.map(({ tag }) => tag),
    storage,
  );
  const agree = generations?.every(({ id }, place) => id === claims[place]?.id);
  return agree === true ? generations : undefined;
}
