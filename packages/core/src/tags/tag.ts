import { type Generation, generationFrom, isGeneration } from "../storage/generations.js";
import type { MadeTag } from "../tiers/generation-batch.js";
import { nextMoment, type ReadTag, type TagReads, type TagStorage } from "../tiers/tag-reads.js";
import { KnownGeneration } from "./known-generation.js";

/** The birth of no invalidation. */
const never = 0;

/**
 * One tag, with what this process knows of it: its generation in each storage, and its last
 * invalidation in this process. The knowledge only moves to a later time of the storage.
 */
export class Tag implements ReadTag, MadeTag {
  readonly name: string;
  /** The key of its generations in remote storages. */
  readonly key: string;
  /** The birth number of its last invalidation in this process. */
  invalidated: number = never;
  reads: TagReads | undefined;
  /** At most one for each storage, and one of this process. */
  #known: KnownGeneration[] = [];
  readonly #now: () => number;

  /** @param now returns the time on our clock */
  constructor(name: string, key: string, now: () => number) {
    this.name = name;
    this.key = key;
    this.#now = now;
  }

  /** Returns the current generation in the storage, or of this process. */
  in(storage: TagStorage | undefined): KnownGeneration | undefined {
    for (const known of this.#known) if (known.storage === storage) return known;
    return undefined;
  }

  /** Returns the generation of this process, which entries of local storages have. */
  here(): KnownGeneration {
    return this.in(undefined) ?? this.#add({ id: "", at: 0 }, undefined, 0);
  }

  /**
   * Returns the generation for an entry that is stored although the storage did not answer. It ends
   * when the storage answers, because the tag may have been invalidated meanwhile.
   */
  unknownIn(storage: TagStorage): KnownGeneration {
    return this.in(storage) ?? this.#add({ id: "", at: Number.NEGATIVE_INFINITY }, storage, 0);
  }

  arrived(storage: TagStorage, bytes: Uint8Array | undefined, sent: number): void {
    const known = this.in(storage);
    if (known !== undefined && bytes !== undefined && isGeneration(known, bytes)) {
      known.told = nextMoment();
      return;
    }
    const generation = generationFrom(bytes);
    if (generation === undefined) this.#lose(storage, sent);
    else this.#learn(storage, generation, sent, false);
  }

  made(storage: TagStorage, generation: Generation, sent: number, ttl: number | undefined): void {
    const known = this.#learn(storage, generation, sent, true);
    if (known !== undefined) {
      known.keptUntil = Math.max(known.keptUntil, this.#now() + (ttl ?? Number.POSITIVE_INFINITY));
    }
  }

  /** Learns a generation from another process. */
  heard(storage: TagStorage, generation: Generation): void {
    const known = this.in(storage);
    // Two generations of one millisecond have no order.
    if (known?.at === generation.at && known.id !== generation.id) this.#drop(known);
    else this.#learn(storage, generation, 0, false);
  }

  /** Ends what is known, so that no local entry of the tag is valid any more. */
  end(): void {
    for (const known of this.#known) known.isCurrent = false;
    this.#known = [];
  }

  /** Ends the generations that no storage has told. */
  endUntold(): void {
    for (const known of this.#known) if (!known.isTold) this.#drop(known);
  }

  /** Whether a local entry may need the knowledge. */
  isNeededAt(now: number): boolean {
    return this.#known.some(({ neededUntil }) => neededUntil > now);
  }

  /**
   * @param isMade whether the answer is that of a write. Then it is newer than each answer that came
   *   before it was sent, whatever its time
   */
  #learn(
    storage: TagStorage,
    generation: Generation,
    sent: number,
    isMade: boolean,
  ): KnownGeneration | undefined {
    const known = this.in(storage);
    const told = nextMoment();
    if (known === undefined) return this.#add(generation, storage, told);
    if (known.id === generation.id) {
      known.told = told;
      return known;
    }
    const isNewer = generation.at > known.at || ((isMade || generation.at === known.at) && sent > known.told);
    if (!isNewer) {
      // The storage made both in one millisecond, and either may be the newer one. Or an answer to a
      // later request has an earlier time: the known one was lost, and a clock that is behind made
      // another one.
      if (generation.at === known.at || sent > known.told) this.#drop(known);
      return undefined;
    }
    this.#drop(known);
    return this.#add(generation, storage, told);
  }

  /** Ends the known generation, because the storage has none. Another answer may be older. */
  #lose(storage: TagStorage, sent: number): void {
    const known = this.in(storage);
    if (known !== undefined && sent > known.told) this.#drop(known);
  }

  #add(generation: Generation, storage: TagStorage | undefined, told: number): KnownGeneration {
    const known = new KnownGeneration(this, storage, generation, told);
    this.#known.push(known);
    return known;
  }

  #drop(known: KnownGeneration): void {
    known.isCurrent = false;
    this.#known = this.#known.filter((other) => other !== known);
  }
}
