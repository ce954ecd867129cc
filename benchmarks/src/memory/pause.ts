import { setTimeout } from "node:timers/promises";
import type { Subject } from "./subject.js";

/** The number of operations that are timed together, as in a busy tick of a server. */
const BATCH = 64;

/** The worst batch, in milliseconds. */
export interface Pauses {
  /** In a full cache, in which each `set` evicts. */
  readonly churn: number;
  /** While the cache fills for the first time. */
  readonly growth: number;
}

/** Times batches of inserts while a cache fills, and while it is full. */
export async function worstBatch(make: (size: number) => Promise<Subject>, size: number): Promise<Pauses> {
  // All strings are created and old before the clock starts: collecting young strings is not the
  // library's pause.
  const keys = Array.from({ length: 4 * size }, (_, i) => `item:${i}`);
  const warm = await make(Math.ceil(size / 20));
  churn(warm, keys, 0, size);
  const cache = await make(size);
  global.gc?.();
  global.gc?.();
  // V8's helper threads finish the collections in the first batch (20 ms), which is not the
  // library's pause.
  await setTimeout(1_000);
  const growth = churn(cache, keys, 0, size);
  // The first evictions make the compiler start again, which happens only once.
  churn(cache, keys, size, 1.5 * size);
  return { growth, churn: churn(cache, keys, 1.5 * size, 4 * size) };
}

/** Sets new keys and reads older ones, in turn. */
function churn(cache: Subject, keys: readonly string[], from: number, to: number): number {
  let worst = 0;
  for (let next = from; next < to; next += BATCH / 2) {
    const processor = process.cpuUsage();
    const begin = performance.now();
    for (let i = next; i < next + BATCH / 2; i++) {
      cache.set(keys[i] ?? "", i);
      cache.get(keys[(i * 7) >>> 3] ?? "");
    }
    const elapsed = performance.now() - begin;
    if (elapsed <= worst) continue;
    // Elapsed time also counts other programs; processor time also counts V8's helper threads. The
    // smaller one counts.
    const { user, system } = process.cpuUsage(processor);
    worst = Math.max(worst, Math.min(elapsed, (user + system) / 1000));
  }
  return worst;
}
