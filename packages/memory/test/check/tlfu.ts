import type { Region, Regions } from "../../src/policy/regions.js";
import { Count } from "../../src/policy/sketch.js";
import type { TinyLfuPolicy } from "../../src/policy/tlfu.js";
import { check } from "./check.js";

/** Checks the regions, their sums and marks, and the bounds of the sketch and the window. */
export function checkTinyLfu(policy: TinyLfuPolicy, held: ReadonlySet<number>): void {
  const { regions } = policy;
  const seen = new Set<number>();
  for (const region of [regions.window, regions.probation, regions.protected]) {
    checkRegion(policy, region, seen);
  }
  check(seen.size === held.size, () => `the policy has ${seen.size} slots of ${held.size}`);
  for (const slot of seen) check(held.has(slot), () => `the policy has slot ${slot}, which is not held`);
  regions.marks.forEach((mark, slot) => {
    check(seen.has(slot) === (mark & 0b1100_0000) > 0, () => `slot ${slot} has the mark ${mark}`);
  });
  const { share } = policy.tuner.window;
  check(share >= 0.01 && share <= 0.99, () => `the window's share is ${share}`);
  checkSketch(policy);
}

/**
 * Returns the slots of a region from the oldest to the newest. Throws if the links back do not
 * agree.
 */
export function ringOf({ younger, older }: Regions, { oldest }: Region): number[] {
  const slots: number[] = [];
  for (let slot = oldest; slot >= 0; ) {
    const next = younger[slot]!;
    check(older[next] === slot, () => `slot ${next} does not link back to ${slot}`);
    check(slots.length < younger.length, () => "a ring does not come back to its oldest slot");
    slots.push(slot);
    slot = next === oldest ? -1 : next;
  }
  return slots;
}

function checkRegion(policy: TinyLfuPolicy, region: Region, seen: Set<number>): void {
  let weight = 0;
  const slots = ringOf(policy.regions, region);
  for (const slot of slots) {
    check(!seen.has(slot), () => `the policy has slot ${slot} twice`);
    check(policy.regions.regionOf(slot) === region, () => `slot ${slot} does not know its region`);
    const frequency = policy.regions.frequencyOf(slot);
    check(frequency >= 0 && frequency <= Count.Most, () => `slot ${slot} has the frequency ${frequency}`);
    seen.add(slot);
    weight += policy.regions.slots.weightOf(slot);
  }
  check(
    region.size === slots.length,
    () => `region ${region.bits} has ${slots.length} slots, not ${region.size}`,
  );
  check(region.weight === weight, () => `region ${region.bits} weighs ${weight}, not ${region.weight}`);
}

function checkSketch({ sketch, regions }: TinyLfuPolicy): void {
  if (regions.marks.length === 0) return;
  check(
    sketch.isShrinking || sketch.blocks <= sketch.wanted,
    () => `${sketch.blocks} blocks are in use of ${sketch.wanted}`,
  );
  check(sketch.swept <= sketch.blocks, () => `${sketch.swept} blocks are swept of ${sketch.blocks}`);
  check(sketch.table.length >= sketch.blocks * 4, () => `the table is too short for ${sketch.blocks} blocks`);
}
