import type { Expiry } from "../../src/expiry/expiry.js";
import { check } from "./check.js";
import { members } from "./links.js";

/**
 * Checks that the wheel has exactly the slots with a deadline, none in a bucket after its deadline.
 */
export function checkWheel(expiry: Expiry, held: ReadonlySet<number>): void {
  const { wheel, deadlines } = expiry;
  if (wheel === null || deadlines === null) return;
  const scheduled = new Set<number>();
  for (let list = 0; list < wheel.links.heads; list++) {
    for (const slot of members(wheel.links, list)) {
      check(!scheduled.has(slot), () => `slot ${slot} is in the wheel twice`);
      scheduled.add(slot);
    }
  }
  check(
    scheduled.size === wheel.size,
    () => `the wheel holds ${scheduled.size} slots and counts ${wheel.size}`,
  );
  for (const slot of scheduled) check(held.has(slot), () => `slot ${slot} is in the wheel and not held`);
  let ending = 0;
  for (const slot of held) if (deadlines[slot] !== 0) ending++;
  check(
    ending === scheduled.size,
    () => `${ending} entries have a deadline, ${scheduled.size} are in the wheel`,
  );
  for (let slot = 0; slot < deadlines.length; slot++) {
    check(
      deadlines[slot] === 0 || scheduled.has(slot),
      () => `slot ${slot} has a deadline and is not in the wheel`,
    );
  }
}
