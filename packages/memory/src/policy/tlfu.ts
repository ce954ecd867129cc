import type { Fitting } from "../table/column.js";
import type { Slots } from "../table/slots.js";
import { Ageing } from "./ageing.js";
import { Mark, ON_HIT, RegionBits } from "./mark.js";
import { type Region, Regions } from "./regions.js";
import { FrequencySketch } from "./sketch.js";
import type { Limits, PolicyContext, Requests, SlotPolicy } from "./slot-policy.js";
import type { Standings } from "./standing.js";
import { WindowTuner } from "./window-tuner.js";

/**
 * Protected entries per entry on probation: four fifths of the main region, as in SLRU and
 * Caffeine.
 */
const PROTECTED_RATIO = 4;

/**
 * Maximum number of touched entries skipped in one search. Each is moved, so this bounds an
 * eviction.
 */
const MOST_SKIPPED = 32;

/** Maximum number of entries moved from a shrinking window to the main region per insertion. */
const MOST_MOVED = 4;

/**
 * Frequency from which a newcomer that loses its duel is admitted with a chance of 1 in 128. So
 * nobody can pin entries in the cache by making their frequencies look high (Caffeine's defence).
 */
const WARM = 6;
const CHANCE = 127;

/**
 * W-TinyLFU (Einziger, Friedman and Manes, 2017) with lazy promotion and a window that adapts by
 * its edges.
 *
 * Newcomers enter the *window*. When the cache is full, the oldest entry of the window fights the
 * oldest entry on *probation* for its place. An entry hit on probation becomes *protected*, and the
 * oldest protected entries fall back to probation.
 *
 * A hit writes one byte (see `mark.ts`). Lists are ordered only at an eviction, as in CLOCK. If a
 * search finds a touched entry, it moves the entry to where its hit would have moved it. An entry
 * on probation that wins its duel moves too. So all of probation is tried in turn, and not one
 * entry only.
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
  /** Slot of the last `insert`. */
  private newest = -1;
  /** Whether the window is measured in weight, because there is a limit to it. */
  private isWeighed = false;

  constructor(context: PolicyContext) {
    this.regions = new Regions(context.slots);
    this.slots = context.slots;
    this.requests = context.requests;
    this.random = context.random;
    this.ageing = new Ageing(this.sketch, this.regions, context.requests);
    this.resize(context.limits);
  }

  get standings(): Standings {
    return this.regions;
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
    // The oldest of both rings becomes the youngest. No link changes.
    probation.oldest = younger[incumbent] as number;
    window.oldest = younger[candidate] as number;
    marks[candidate] = RegionBits.Window | regions.inScaleOf(candidate, frequency);
    this.entering = candidate;
    return victim;
  }

  /** Handles a hit that the cache did not write into the mark, which is rare. */
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
   * Returns whether a newcomer wins against the entry that it would replace. It must have come more
   * often. Its present visit does not count, unless neither was seen before. Otherwise, in a loop
   * larger than the cache, the next key would always win against the last one. Frequencies count
   * per weight.
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

  /** Counts a key that comes in and returns its frequency. */
  private countArrival(hash: number): number {
    const { tuner } = this;
    this.ageing.count();
    if ((hash & tuner.unwatched) === 0)
      tuner.learnFrom(hash, this.ageing.now, this.regions.held + 1, this.requests);
    return this.sketch.increment(hash);
  }

  /**
   * Counts an entry that leaves the window and returns its frequency. The cache has `more` entries
   * more than the regions.
   */
  private countExit(slot: number, more: number): number {
    const { tuner } = this;
    const hash = this.slots.hashes[slot] as number;
    tuner.windowExits++;
    if ((hash & tuner.unwatched) === 0) tuner.addGhost(hash, this.ageing.now, this.regions.held + more);
    return this.regions.frequencyOf(slot);
  }

  /** Copies the frequency of an entry to the sketch, for the time when its key comes back. */
  private remember(slot: number, frequency: number): void {
    if (frequency > 1) this.sketch.raise(this.slots.hashes[slot] as number, frequency);
  }

  /** Removes an entry and returns its slot. */
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
   * Returns the oldest untouched entry of the window, which must not be empty. Skips the newcomer
   * that needs the place, unless it is alone. In a small window all others may be touched, and the
   * newcomer would be evicted before anybody could read it.
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

  /** Returns the oldest untouched entry on probation, or -1 if the main region is empty. */
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
   * Moves protected entries above their share back to probation, untouched ones first. So probation
   * is empty only if the main region is. Returns how many entries were skipped, `maySkip` at most.
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

  /**
   * Moves the excess of the window to the main region. Until the cache is full no entry has to
   * fight for its place.
   */
  private moveWindowOverflow(): void {
    const { regions } = this;
    const { window, probation } = regions;
    const { limit } = this.tuner.window;
    for (let moved = 0; window.weight > limit && moved < MOST_MOVED; moved++) {
      regions.move(this.skipTouchedInWindow(), window, probation);
    }
  }
}

/** Returns whether the entry of a slot was hit since the policy last looked at it. */
function isTouched(marks: Uint8Array, slot: number): boolean {
  return ((marks[slot] as number) & Mark.Touched) !== 0;
}
