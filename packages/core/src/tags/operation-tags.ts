import type { CachemeError } from "../errors.js";
import type { TagStorage } from "../tiers/tag-reads.js";
import { areCurrent, type KnownGeneration, shared } from "./known-generation.js";
import { sectionOf } from "./section.js";
import type { Tag } from "./tag.js";

const none: readonly never[] = [];

/** The generations of an operation's tags in one storage. A tag without one was not answered. */
interface Capture {
  readonly storage: TagStorage;
  readonly generations: readonly (KnownGeneration | undefined)[];
}

/**
 * The tags of one operation that may store a value, and the generations that it stores under. They
 * are captured before the value is loaded, so an invalidation meanwhile makes the stored entry
 * invalid.
 */
export class OperationTags {
  /** The tags that are known before the value. */
  readonly own: readonly Tag[];
  /** The tags that only the value tells. */
  #told: Tag[] | undefined;
  #captures: readonly Capture[] = none;
  #toldCaptures: readonly Capture[] = none;
  /** The reason why the value must not be stored, such as too many tags. */
  refusal: CachemeError | undefined;

  constructor(own: readonly Tag[]) {
    this.own = own;
  }

  /** Every tag of the value. */
  get all(): readonly Tag[] {
    return this.#told === undefined ? this.own : [...this.own, ...this.#told];
  }

  /** The tags that only the value tells. */
  get told(): readonly Tag[] {
    return this.#told ?? none;
  }

  /** Adds a tag that the value tells. Returns whether it is a new one. */
  tell(tag: Tag): boolean {
    if (this.own.includes(tag) || this.#told?.includes(tag)) return false;
    this.#told ??= [];
    this.#told.push(tag);
    return true;
  }

  /** Keeps the value out of every tier. */
  refuse(reason: CachemeError): void {
    this.refusal ??= reason;
  }

  /** Takes what is known of the tags now, because the storage has just answered. */
  capture(storage: TagStorage): void {
    this.#captures = withCapture(this.#captures, storage, this.own);
  }

  /**
   * Does the same for the tags that the value tells. A generation that is not older than the load
   * does not count, because it may hide an invalidation during the load.
   *
   * @param began the storage's time before the load began; `undefined` if it is not known
   */
  captureTold(storage: TagStorage, began: number | undefined): void {
    this.#toldCaptures = withCapture(
      this.#toldCaptures,
      storage,
      this.told,
      began ?? Number.NEGATIVE_INFINITY,
    );
  }

  /** Returns the tags whose generation in the storage must be made or read before the load. */
  missingIn(storage: TagStorage, neededUntil: number): readonly Tag[] {
    const capture = captureIn(this.#captures, storage);
    if (capture === undefined) return this.own;
    return this.own.filter((_, place) => {
      const known = capture[place];
      return known === undefined || !known.isCurrent || known.keptUntil < neededUntil;
    });
  }

  /** Returns the generations of all tags in the storage; `undefined` if one is not known. */
  in(storage: TagStorage): readonly KnownGeneration[] | undefined {
    const captured = [
      ...(captureIn(this.#captures, storage) ?? this.own.map(() => undefined)),
      ...(captureIn(this.#toldCaptures, storage) ?? this.told.map(() => undefined)),
    ];
    return captured.every(isTold) ? captured : undefined;
  }

  /** Returns the section of an entry's envelope in the storage; `undefined` if it must not be stored there. */
  section(storage: TagStorage): string | undefined {
    const generations = this.in(storage);
    return generations && sectionOf(generations);
  }

  /**
   * Returns whether the storage told a generation only after the load had begun. It may hide an
   * invalidation during the load.
   */
  isLateIn(storage: TagStorage): boolean {
    return this.in(storage) === undefined && this.told.some((tag) => tag.in(storage)?.isTold === true);
  }

  /** Returns whether the storage's last answer told other generations than the captured ones. */
  hasChangedIn(storage: TagStorage): boolean {
    const generations = this.in(storage);
    return generations !== undefined && !areCurrent(generations);
  }

  /**
   * Returns the generations for an entry in the local tiers; `undefined` if it must not be stored
   * there. Without an answer of a storage the entry is valid until the storage answers.
   *
   * @param storages the remote storages that the entry is stored in
   */
  held(storages: readonly TagStorage[], neededUntil: number): readonly KnownGeneration[] | undefined {
    const held = storages.length === 0 ? this.all.map((tag) => tag.here()) : [];
    for (const storage of storages) {
      const generations = this.in(storage) ?? this.#unknownIn(storage);
      if (generations === undefined) return undefined;
      held.push(...generations);
    }
    for (const generation of held) {
      generation.neededUntil = Math.max(generation.neededUntil, neededUntil);
    }
    return areCurrent(held) ? shared(held) : undefined;
  }

  #unknownIn(storage: TagStorage): readonly KnownGeneration[] | undefined {
    // The storage has answered another operation, perhaps after an invalidation.
    if (this.all.some((tag) => tag.in(storage)?.isTold)) return undefined;
    return this.all.map((tag) => tag.unknownIn(storage));
  }
}

function isTold(generation: KnownGeneration | undefined): generation is KnownGeneration {
  return generation?.isTold === true;
}

function captureIn(captures: readonly Capture[], storage: TagStorage): Capture["generations"] | undefined {
  return captures.find((capture) => capture.storage === storage)?.generations;
}

function withCapture(
  captures: readonly Capture[],
  storage: TagStorage,
  tags: readonly Tag[],
  before: number = Number.POSITIVE_INFINITY,
): readonly Capture[] {
  const generations = tags.map((tag) => {
    const known = tag.in(storage);
    return known !== undefined && known.at < before ? known : undefined;
  });
  const capture = { storage, generations };
  if (captures.length === 0) return [capture];
  return [...captures.filter((other) => other.storage !== storage), capture];
}
