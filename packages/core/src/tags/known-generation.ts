import type { Generation } from "../storage/generations.js";
import type { HeldGeneration } from "../storage/local-storage.js";
import type { TagStorage } from "../tiers/tag-reads.js";

/** Separates tags and ids of generations, because neither has a line feed. */
export const separator = "\n";

/** The tag of a generation. */
interface Owner {
  readonly name: string;
  /** The birth number of its last invalidation in this process. */
  readonly invalidated: number;
}

/**
 * A generation of one tag, as this process knows it. Local entries hold these objects. An entry is
 * valid while all of them are current, so a hit compares no strings.
 */
export class KnownGeneration implements HeldGeneration {
  readonly owner: Owner;
  /** The storage whose generation it is; `undefined` for the generation of this process. */
  readonly storage: TagStorage | undefined;
  /** Empty if the storage did not tell it, because the storage was in trouble. */
  readonly id: string;
  /** The storage's time when it was made. */
  readonly at: number;
  /** The tag and the id, as entries have them. */
  readonly pair: string;
  isCurrent: boolean = true;
  /** The number of the answer that last told it. */
  told: number;
  /** The time, on our clock, until which the storage keeps it at least. */
  keptUntil: number = Number.NEGATIVE_INFINITY;
  /** The last list of an entry that begins with it; see {@link shared}. */
  list: readonly KnownGeneration[] | undefined;
  /** The time, on our clock, until which local entries need it. */
  neededUntil: number = Number.NEGATIVE_INFINITY;

  constructor(owner: Owner, storage: TagStorage | undefined, { id, at }: Generation, told: number) {
    this.owner = owner;
    this.storage = storage;
    this.id = id;
    this.pair = `${owner.name}${separator}${id}`;
    this.at = at;
    this.told = told;
  }

  get tag(): string {
    return this.owner.name;
  }

  /** Whether the storage told it, so that an entry in that storage may name it. */
  get isTold(): boolean {
    return this.id !== "";
  }
}

/**
 * Returns an equal list that another entry holds already, if there is one. A hit then finds the
 * list in the processor's cache.
 */
export function shared(generations: readonly KnownGeneration[]): readonly KnownGeneration[] {
  const [first] = generations;
  if (first === undefined) return generations;
  const { list } = first;
  const isEqual =
    list?.length === generations.length &&
    generations.every((generation, place) => generation === list[place]);
  if (isEqual) return list;
  first.list = generations;
  return generations;
}

/** Returns whether an entry of these generations is valid. */
export function areCurrent(generations: readonly HeldGeneration[]): boolean {
  for (const generation of generations) if (!generation.isCurrent) return false;
  return true;
}

const none: readonly string[] = [];

/** Returns the names of an entry's tags. */
export function tagNames(generations: readonly HeldGeneration[] | undefined): readonly string[] {
  return generations === undefined ? none : [...new Set(generations.map(({ tag }) => tag))];
}
