import { settled } from "./deferred.js";
import type { VirtualClock } from "./virtual-clock.js";

/** Advances the time in steps, and runs what each step starts. */
export async function pass(clock: VirtualClock, ms: number, step = 50): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) {
    await settled();
    clock.advance(Math.min(step, ms - passed));
  }
  await settled();
}

/** Advances the time in steps until the promise has settled. */
export async function within<T>(clock: VirtualClock, ms: number, promise: Promise<T>, step = 50): Promise<T> {
  let isSettled = false;
  const settles = () => {
    isSettled = true;
  };
  promise.then(settles, settles);
  await settled();
  for (let passed = 0; passed < ms && !isSettled; passed += step) {
    clock.advance(step);
    await settled();
  }
  if (!isSettled) throw new Error(`The promise has not settled within ${ms} ms.`);
  return await promise;
}
