import { CustomPolicy } from "../../src/policy/custom.js";
import { FifoPolicy } from "../../src/policy/fifo.js";
import { LfuPolicy } from "../../src/policy/lfu.js";
import { LruPolicy } from "../../src/policy/lru.js";
import type { SlotPolicy } from "../../src/policy/slot-policy.js";
import { TinyLfuPolicy } from "../../src/policy/tlfu.js";
import { check } from "./check.js";
import { members } from "./links.js";
import { checkTinyLfu } from "./tlfu.js";

/**
 * Checks that a policy knows exactly the stored slots, and that its own structure is consistent.
 */
export function checkPolicy(policy: SlotPolicy, held: ReadonlySet<number>): void {
  if (policy instanceof TinyLfuPolicy) {
    checkTinyLfu(policy, held);
  } else if (policy instanceof LruPolicy || policy instanceof FifoPolicy) {
    checkSame(members(policy.links, 0), held);
  } else if (policy instanceof LfuPolicy) {
    checkSame(lfuMembers(policy), held);
  } else if (policy instanceof CustomPolicy) {
    checkSame(
      [...policy.held.keys()].filter((slot) => policy.held[slot] === 1),
      held,
    );
  } else {
    throw new Error("Structure: a policy without a checker");
  }
}

function checkSame(slots: readonly number[], held: ReadonlySet<number>): void {
  check(new Set(slots).size === slots.length, () => "the policy has a slot twice");
  check(slots.length === held.size, () => `the policy has ${slots.length} slots of ${held.size}`);
  for (const slot of slots) check(held.has(slot), () => `the policy has slot ${slot}, which is not held`);
}

function lfuMembers(policy: LfuPolicy): number[] {
  const slots: number[] = [];
  let lower = 0;
  for (const group of members(policy.groups, 0)) {
    const count = policy.counts[group]!;
    check(count > lower, () => `the groups' counts do not rise: ${lower}, ${count}`);
    lower = count;
    const oldest = policy.oldest[group]!;
    let slot = oldest;
    do {
      check(policy.groupOf[slot] === group, () => `slot ${slot} does not know its group`);
      check(policy.previous[policy.next[slot]!] === slot, () => `slot ${slot} has a broken circle`);
      slots.push(slot);
      slot = policy.next[slot]!;
    } while (slot !== oldest && slots.length <= policy.next.length);
  }
  return slots;
}
