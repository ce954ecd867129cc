import type { Fitting } from "../table/column.js";
import type { Slots } from "../table/slots.js";
import { Ageing } from "./ageing.js";
import { Mark, ON_HIT, RegionBits } from "./mark.js";
import { type Region, Regions } from "./regions.js";
import { FrequencySketch } from "./sketch.js";
import type { Limits, PolicyContext, Requests, SlotPolicy } from "./slot-policy.js";
import { WindowTuner } from "./window-tuner.js";

/** Protected entries to each on probation: four fifths of the main region (as in SLRU; Caffeine's share too). */
const PROTECTED_RATIO = 4;

/** Touched entries passed by in one search, each of them moved: what bounds an eviction. */
const MOST_SKIPPED = 32;

/** Entries moved from a shrinking window to the main region in one insertion. */
const MOST_MOVED = 4;

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
  private readonly slots: Slots<unknown, unknown>;
  private readonly requests: Requests;
  private readonly random: () => number;
  private readonly ageing: Ageing;
  entering = -1;
  /** The slot inserted last, the long way. */
  private newest = -1;
  /** The window is measured in weight, since there is a limit to that. */
  private isWeighed = false;

  constructor(context: PolicyContext) {
    this.regions = new Regions(context.slots);
    this.slots = context.slots;
    this.requests = context.requests;
    this.random = context.random;
    this.ageing = new Ageing(this.sketch, this.regions, context.requests);
    this.resize(context.limits);
  }

  get marks(): Uint8Array {
    return this.regions.marks;
  }

  fitOne(capacity: number, fitting: Fitting): boolean {
    this.ageing.wake();
    return this.regions.fitOne(capacity, fitting) || this.sketch.fitOne(capacity);
  }

  moveSlot(from: number, to: number): void {
    this.regions.moveSlot(from, to);
    if (this.newest === from) this.newest = to;
  }

  insert(slot: number): void {
    const { regions, tuner } = this;
    const hash = this.slots.hashes[slot] as number;
    if (regions.window.weight > tuner.window.limit) this.moveWindowOverflow();
    regions.marks[slot] = regions.inScaleOf(slot, this.countArrival(hash));
    regions.enter(slot, regions.window);
    this.newest = slot;
  }

  replace(hash: number): number {
    const { regions, tuner } = this;
    const { window, probation, protected: kept, marks, younger } = regions;
    const candidate = window.oldest;
    const incumbent = probation.oldest;
    if (
      candidate < 0 ||
      incumbent < 0 ||
      window.size !== tuner.window.limit ||
      kept.size > PROTECTED_RATIO * probation.size ||
      (((marks[candidate] as number) | (marks[incumbent] as number)) & Mark.Touched) !== 0
    )
      return -1;
    const frequency = this.countArrival(hash);
    const challenge = this.countExit(candidate, 1);
    let victim = candidate;
    if (challenge > 0 && this.winsDuel(challenge, candidate, incumbent)) {
      // The winner moves to the loser's slot, and so to the loser's place on probation.
      victim = incumbent;
      this.remember(incumbent, regions.frequencyOf(incumbent));
      marks[incumbent] = RegionBits.Probation | regions.inScaleOf(incumbent, challenge);
    } else this.remember(candidate, challenge);
    // Of both rings the oldest becomes the youngest: nothing is linked anew.
    probation.oldest = younger[incumbent] as number;
    window.oldest = younger[candidate] as number;
    marks[candidate] = RegionBits.Window | regions.inScaleOf(candidate, frequency);
    this.entering = candidate;
    return victim;
  }

  /** A hit, for the rare case that the policy itself is told of one: otherwise the cache writes the mark. */
  access(slot: number): void {
    const { marks } = this.regions;
    marks[slot] = ON_HIT[marks[slot] as number] as number;
  }

  update(slot: number, oldWeight: number): void {
    this.access(slot);
    this.regions.regionOf(slot).weight += this.slots.weightOf(slot) - oldWeight;
  }

  remove(slot: number): void {
    this.forget(slot, this.regions.regionOf(slot));
  }

  evict(): number {
    const { regions, tuner } = this;
    const { window, probation, protected: kept, marks } = regions;
    if (this.isWeighed) tuner.window.follow(regions.weight);
    if (window.weight <= tuner.window.limit) return this.evictWithinWindowLimit();

    let candidate = window.oldest;
    if (candidate === this.newest || isTouched(marks, candidate)) candidate = this.skipTouchedInWindow();
    const challenge = this.countExit(candidate, 0);
    let incumbent = probation.oldest;
    if (kept.size > PROTECTED_RATIO * probation.size || (incumbent >= 0 && isTouched(marks, incumbent))) {
      incumbent = this.searchMain();
    }
    if (incumbent < 0) return this.forget(candidate, window);
    if (challenge > 0 && this.winsDuel(challenge, candidate, incumbent)) {
      regions.move(candidate, window, probation);
      return this.forget(incumbent, probation);
    }
    probation.oldest = regions.younger[incumbent] as number;
    return this.forget(candidate, window);
  }

  resize({ maxSize, maxWeight }: Limits): void {
    this.isWeighed = maxWeight < Infinity;
    this.tuner.window.resize(this.isWeighed ? maxWeight : maxSize);
  }

  clear(): void {
    this.regions.clear();
    this.sketch.clear();
    this.tuner.clear();
    this.newest = -1;
  }

  /**
   * A newcomer has to have come more often than the entry it would replace, its present visit not counted
   * unless neither was seen before: otherwise, in a loop larger than the cache, whoever comes next would win
   * against whoever came last. Frequencies count per weight.
   */
  private winsDuel(challenge: number, candidate: number, incumbent: number): boolean {
    const frequency = this.regions.frequencyOf(incumbent);
    const defence = frequency > 1 ? frequency + 1 : frequency;
    const { weights } = this.slots;
    if (weights === null) {
      if (challenge > defence) return true;
    } else if (challenge * (weights[incumbent] as number) > defence * (weights[candidate] as number))
      return true;
    return challenge >= WARM && (this.random() & CHANCE) === 0;
  }

  /** A key comes in. Returns its frequency. */
  private countArrival(hash: number): number {
    const { tuner } = this;
    this.ageing.count();
    if ((hash & tuner.unwatched) === 0)
      tuner.learnFrom(hash, this.ageing.now, this.regions.held + 1, this.requests);
    return this.sketch.increment(hash);
  }

  /** An entry is to leave the window, of a cache that holds so many more than it did. Returns the entry's frequency. */
  private countExit(slot: number, more: number): number {
    const { tuner } = this;
    const hash = this.slots.hashes[slot] as number;
    tuner.windowExits++;
    if ((hash & tuner.unwatched) === 0) tuner.addGhost(hash, this.ageing.now, this.regions.held + more);
    return this.regions.frequencyOf(slot);
  }

  /** What was learned of an entry goes to the sketch, for the time when its key comes back. */
  private remember(slot: number, frequency: number): void {
    if (frequency > 1) this.sketch.raise(this.slots.hashes[slot] as number, frequency);
  }

  /** The entry is gone. Returns the slot. */
  private forget(slot: number, region: Region): number {
    this.remember(slot, this.regions.frequencyOf(slot));
    this.regions.leave(slot, region);
    this.regions.marks[slot] = 0;
    return slot;
  }

  private evictWithinWindowLimit(): number {
    const { probation, window } = this.regions;
    const unwanted = this.searchMain();
    return unwanted < 0 ? this.forget(this.skipTouchedInWindow(), window) : this.forget(unwanted, probation);
  }

  /**
   * The oldest entry that was not touched of a window that is not empty. Not the newcomer for which it is asked, unless it is
   * alone: in a small window all others may be touched, and it would be gone before anybody could ask for it.
   */
  private skipTouchedInWindow(): number {
    const { regions } = this;
    const { marks, window } = regions;
    for (let skipped = 0; ; skipped++) {
      const slot = window.oldest;
      if (slot === this.newest ? window.size === 1 : !isTouched(marks, slot) || skipped >= MOST_SKIPPED)
        return slot;
      regions.renewOldest(window);
    }
  }

  /** The oldest entry on probation that was not touched, or -1 if the main region is empty. */
  private searchMain(): number {
    const { regions } = this;
    const { marks, probation } = regions;
    for (let skipped = 0; ; skipped++) {
      skipped += this.demote(MOST_SKIPPED - skipped);
      const slot = probation.oldest;
      if (slot < 0 || !isTouched(marks, slot) || skipped >= MOST_SKIPPED) return slot;
      this.tuner.window.narrow(regions.held, probation.size);
      regions.move(slot, probation, regions.protected);
    }
  }

  /**
   * Protected entries above their share fall back to probation, untouched ones first, so that probation is
   * not empty unless the main region is. Returns how many were passed by, `maySkip` at most.
   */
  private demote(maySkip: number): number {
    const { regions } = this;
    const { marks, probation, protected: kept } = regions;
    let skipped = 0;
    for (let demoted = 0; demoted < MOST_MOVED && kept.size > PROTECTED_RATIO * probation.size; ) {
      const slot = kept.oldest;
      if (isTouched(marks, slot) && skipped < maySkip) {
        regions.renewOldest(kept);
        skipped++;
      } else {
        regions.move(slot, kept, probation);
        demoted++;
      }
    }
    return skipped;
  }

  /** While there is room nobody fights for it: what the window has too much goes to the main region. */
  private moveWindowOverflow(): void {
    const { regions } = this;
    const { window, probation } = regions;
    const { limit } = this.tuner.window;
    for (let moved = 0; window.weight > limit && moved < MOST_MOVED; moved++) {
      regions.move(this.skipTouchedInWindow(), window, probation);
    }
  }
}

/** Whether the entry of a slot was hit since the policy last looked at it. */
function isTouched(marks: Uint8Array, slot: number): boolean {
  return ((marks[slot] as number) & Mark.Touched) !== 0;
}
