import type { Fitting } from "../column.js";
import type { Slots } from "../slots.js";
import { FREQUENCY, ON_HIT, TOUCHED } from "./mark.js";
import { type Region, Regions } from "./regions.js";
import { FrequencySketch } from "./sketch.js";
import type { Limits, PolicyContext, Requests, SlotPolicy } from "./slot-policy.js";
import { WindowTuner } from "./window-tuner.js";

// The compiler folds a module's own constants only; one that is imported is loaded and checked at each use.
const FREQUENCY_BITS = FREQUENCY;
const TOUCHED_BIT = TOUCHED;

/** Protected entries to each on probation: four fifths of the main region (as in SLRU; Caffeine's share too). */
const PROTECTED_RATIO = 4;

/** Touched entries passed by in one search, each of them moved: what bounds an eviction. */
const MOST_PASSED = 32;

/** Entries moved from a shrinking window to the main region in one insertion. */
const MOST_MOVED = 4;

/** All frequencies are halved when this many requests per entry are counted, of which half go on counting (TinyLFU). */
const REQUESTS_PER_AGE = 10;

/** A smaller cache ages as slowly as one of this size: it must see a loop twice to know it. */
const AGES_LIKE = 512;

/** Slots aged in an insertion, at the least and at the most; as many blocks of the sketch. */
const FEWEST_AGED = 32;
const MOST_AGED = 1024;

/** `#aged` where no ageing is under way: above every slot. */
const ALL_AGED = 0x7fffffff;

/**
 * A newcomer with this frequency that loses its duel gets in with a chance of 1 in 128 all the same, so that
 * nobody can pin entries in the cache by making their frequencies look high (Caffeine's defence).
 */
const WARM = 6;
const CHANCE = 127;

/**
 * W-TinyLFU (Einziger, Friedman and Manes, 2017) with lazy promotion and a window that adapts by its edges.
 *
 * Newcomers enter the *window*, whose oldest entry fights the oldest on *probation* for its place when the
 * cache is full; what is hit on probation becomes *protected*, and the oldest protected entries fall back to
 * probation. A hit writes one byte (see mark.ts). Lists are only put in order at an eviction, as in CLOCK: an
 * entry found touched where one is looked for moves to where its hit would have moved it. So does an entry on
 * probation that wins its duel, so that all of probation is tried in turn and not one entry only.
 */
export class TinyLfuPolicy implements SlotPolicy {
  readonly onHit: Uint8Array = ON_HIT;
  readonly regions: Regions;
  readonly sketch: FrequencySketch = new FrequencySketch();
  readonly tuner: WindowTuner = new WindowTuner();
  readonly #slots: Slots<unknown, unknown>;
  readonly #requests: Requests;
  readonly #random: () => number;
  /** Slots from here on still count in the scale before the last ageing. */
  #aged: number = ALL_AGED;
  #requestsSeen = 0;
  #requestsCounted = 0;
  /** Requests, at least one an insertion. */
  #now = 0;

  constructor(context: PolicyContext) {
    this.regions = new Regions(context.slots);
    this.#slots = context.slots;
    this.#requests = context.requests;
    this.#random = context.random;
    this.resize(context.limits);
  }

  get marks(): Uint8Array {
    return this.regions.marks;
  }

  fitOne(capacity: number, fitting: Fitting): boolean {
    return this.regions.fitOne(capacity, fitting) || this.sketch.fitOne(capacity);
  }

  moveSlot(from: number, to: number): void {
    const { marks } = this.regions;
    const frequency = this.frequencyOf(from);
    this.regions.moveSlot(from, to);
    marks[to] = ((marks[to] as number) & ~FREQUENCY_BITS) | (to < this.#aged ? frequency : frequency << 1);
  }

  insert(slot: number): void {
    const { regions, tuner } = this;
    const hash = this.#slots.hashes[slot] as number;
    if (regions.window.weight > tuner.window.limit) this.#moveWindowOverflow();
    this.#age();
    if ((hash & tuner.unwatched) === 0) tuner.learnFrom(hash, this.#now, regions.held + 1, this.#requests);
    const frequency = this.sketch.increment(hash);
    regions.marks[slot] = slot < this.#aged ? frequency : frequency << 1;
    regions.enter(slot, regions.window);
  }

  /** A hit, for the rare case that the policy itself is told of one: otherwise the cache writes the mark. */
  access(slot: number): void {
    const { marks } = this.regions;
    marks[slot] = ON_HIT[marks[slot] as number] as number;
  }

  update(slot: number, oldWeight: number): void {
    this.access(slot);
    this.regions.regionOf(slot).weight += this.#slots.weightOf(slot) - oldWeight;
  }

  remove(slot: number): void {
    this.#forget(slot, this.regions.regionOf(slot));
  }

  evict(): number {
    const { regions, tuner } = this;
    const { window, probation, protected: kept, marks } = regions;
    if (window.weight <= tuner.window.limit) return this.#evictWithinWindowLimit();

    let candidate = window.oldest;
    if (((marks[candidate] as number) & TOUCHED_BIT) !== 0) candidate = this.#passTouchedInWindow();
    const hash = this.#slots.hashes[candidate] as number;
    tuner.departed++;
    if ((hash & tuner.unwatched) === 0) tuner.recordDeparture(hash, this.#now, regions.held);

    let incumbent = probation.oldest;
    if (
      kept.size > PROTECTED_RATIO * probation.size ||
      (incumbent >= 0 && ((marks[incumbent] as number) & TOUCHED_BIT) !== 0)
    ) {
      incumbent = this.#searchMain();
    }
    if (incumbent < 0) return this.#forget(candidate, window);
    const challenge = this.frequencyOf(candidate);
    if (challenge > 0 && this.#winsDuel(challenge, candidate, incumbent)) {
      regions.move(candidate, window, probation);
      return this.#forget(incumbent, probation);
    }
    // What `renewOldest` and `#forget` do, written out: of a stream of new keys nearly every one ends here.
    probation.oldest = regions.younger[incumbent] as number;
    if (challenge > 1) this.sketch.raise(hash, challenge);
    regions.leave(candidate, window);
    marks[candidate] = 0;
    return candidate;
  }

  resize({ maxSize, maxWeight }: Limits): void {
    this.tuner.window.resize(maxWeight < Infinity ? maxWeight : maxSize);
  }

  clear(): void {
    this.regions.clear();
    this.sketch.clear();
    this.tuner.clear();
    this.#aged = ALL_AGED;
  }

  /** The frequency of the entry held in `slot`, in today's scale. */
  frequencyOf(slot: number): number {
    const frequency = (this.regions.marks[slot] as number) & FREQUENCY_BITS;
    return slot < this.#aged ? frequency : frequency >>> 1;
  }

  /**
   * A newcomer has to have come more often than the entry it would replace, its present visit not counted
   * unless neither was seen before: otherwise, in a loop larger than the cache, whoever comes next would win
   * against whoever came last. Frequencies count per weight.
   */
  #winsDuel(challenge: number, candidate: number, incumbent: number): boolean {
    const frequency = this.frequencyOf(incumbent);
    const defence = frequency > 1 ? frequency + 1 : frequency;
    const { weights } = this.#slots;
    if (weights === null) {
      if (challenge > defence) return true;
    } else if (challenge * (weights[incumbent] as number) > defence * (weights[candidate] as number))
      return true;
    return challenge >= WARM && (this.#random() & CHANCE) === 0;
  }

  /** What was learned of the entry goes to the sketch, for the time when its key comes back. Returns the slot. */
  #forget(slot: number, region: Region): number {
    const frequency = this.frequencyOf(slot);
    if (frequency > 1) this.sketch.raise(this.#slots.hashes[slot] as number, frequency);
    this.regions.leave(slot, region);
    this.regions.marks[slot] = 0;
    return slot;
  }

  #evictWithinWindowLimit(): number {
    const { probation, window } = this.regions;
    const unwanted = this.#searchMain();
    return unwanted < 0
      ? this.#forget(this.#passTouchedInWindow(), window)
      : this.#forget(unwanted, probation);
  }

  /** The window's oldest entry that was not touched, or -1 if the window is empty. */
  #passTouchedInWindow(): number {
    const { regions } = this;
    const { marks, window } = regions;
    for (let passed = 0; ; passed++) {
      const slot = window.oldest;
      if (slot < 0 || ((marks[slot] as number) & TOUCHED_BIT) === 0 || passed === MOST_PASSED) return slot;
      regions.renewOldest(window);
    }
  }

  /** The oldest entry on probation that was not touched, or -1 if the main region is empty. */
  #searchMain(): number {
    const { regions } = this;
    const { marks, probation } = regions;
    for (let passed = 0; ; passed++) {
      passed += this.#demote(MOST_PASSED - passed);
      const slot = probation.oldest;
      if (slot < 0 || ((marks[slot] as number) & TOUCHED_BIT) === 0 || passed >= MOST_PASSED) return slot;
      this.tuner.window.touchedAtTheEnd(regions.held, probation.size);
      regions.move(slot, probation, regions.protected);
    }
  }

  /**
   * Protected entries above their share fall back to probation, untouched ones first, so that probation is
   * not empty unless the main region is. Returns how many were passed by, `mayPass` at most.
   */
  #demote(mayPass: number): number {
    const { regions } = this;
    const { marks, probation, protected: kept } = regions;
    let passed = 0;
    for (let demoted = 0; demoted < MOST_MOVED && kept.size > PROTECTED_RATIO * probation.size; ) {
      const slot = kept.oldest;
      if (((marks[slot] as number) & TOUCHED_BIT) !== 0 && passed < mayPass) {
        regions.renewOldest(kept);
        passed++;
      } else {
        regions.move(slot, kept, probation);
        demoted++;
      }
    }
    return passed;
  }

  /** While there is room nobody fights for it: what the window has too much goes to the main region. */
  #moveWindowOverflow(): void {
    const { regions } = this;
    const { window, probation } = regions;
    const { limit } = this.tuner.window;
    for (let moved = 0; window.weight > limit && moved < MOST_MOVED; moved++) {
      regions.move(this.#passTouchedInWindow(), window, probation);
    }
  }

  /** Counts the requests since the last insertion. Begins to halve the frequencies when it is time. */
  #age(): void {
    const { hits, misses } = this.#requests;
    const total = hits + misses;
    const requests = total > this.#requestsSeen ? total - this.#requestsSeen : 1;
    this.#requestsSeen = total;
    this.#requestsCounted += requests;
    this.#now += requests;
    if (this.sketch.isBusy || this.#aged !== ALL_AGED) {
      this.#advance(requests < MOST_AGED / FEWEST_AGED ? FEWEST_AGED * requests : MOST_AGED);
      return;
    }
    const { held } = this.regions;
    const due = REQUESTS_PER_AGE * Math.max(held, AGES_LIKE);
    if (this.#requestsCounted < due) return;
    this.#requestsCounted = due >>> 1;
    this.sketch.age();
    this.#aged = 0;
  }

  /** Does a part of the work that is pending. */
  #advance(share: number): void {
    this.sketch.advance(share);
    this.#ageSlots(share);
  }

  #ageSlots(share: number): void {
    if (this.#aged === ALL_AGED) return;
    const { marks } = this.regions;
    const end = Math.min(this.#aged + share, marks.length);
    for (let slot = this.#aged; slot < end; slot++) {
      const mark = marks[slot] as number;
      marks[slot] = (mark & ~FREQUENCY_BITS) | ((mark & FREQUENCY_BITS) >>> 1);
    }
    this.#aged = end === marks.length ? ALL_AGED : end;
  }
}
