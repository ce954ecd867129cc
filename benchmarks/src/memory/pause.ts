import type { Subject } from "./subject.js";

/** Operations timed together: what one busy tick of a server may do. */
const BATCH = 64;

/** The worst batch, in milliseconds. */
export interface Pauses {
  /** While every `set` evicts, in a full cache. */
  readonly churn: number;
  /** While the cache fills for the first time. */
  readonly growth: number;
}

/** Times batches of inserts while a cache fills, and while it is full. */
export async function worstBatch(make: (size: number) => Promise<Subject>, size: number): Promise<Pauses> {
  const small = await make(10_000);
  churn(small, 0, 400_000);
  const cache = await make(size);
  const growth = churn(cache, 0, size);
  return { growth, churn: churn(cache, size, 3 * size) };
}

/** Sets new keys and reads older ones, in turn; the strings are built outside of the measured time. */
function churn(cache: Subject, from: number, operations: number): number {
  const fresh: string[] = new Array(BATCH).fill("");
  let worst = 0;
  for (let next = from; next < from + operations; next += BATCH / 2) {
    for (let i = 0; i < BATCH; i += 2) {
      fresh[i] = `item:${next + (i >>> 1)}`;
      fresh[i + 1] = `item:${Math.floor(next * 0.9)}`;
    }
    const processor = process.cpuUsage();
    const begin = performance.now();
    for (let i = 0; i < BATCH; i += 2) {
      cache.set(fresh[i] ?? "", i);
      cache.get(fresh[i + 1] ?? "");
    }
    const elapsed = performance.now() - begin;
    if (elapsed <= worst) continue;
    // Time that other programs took is in the elapsed time only; that of V8's helper threads, in the processor's only.
    const { user, system } = process.cpuUsage(processor);
    worst = Math.max(worst, Math.min(elapsed, (user + system) / 1000));
  }
  return worst;
}
