import type { Redis } from "ioredis";

/**
 * Runs the variants in turn, round by round. Returns for each variant but the first the median
 * ratio of its time to the first one's in the same round. The machine's speed drifts, but the ratio
 * within a round does not.
 *
 * @param time returns the milliseconds so far: `processorTime` if the work is in this process
 * alone, so that other programs do not count; `processorTimeWith` a server that takes part, or
 * `wallTime` on a machine that has nothing else to do
 */
export async function interleaved(
  variants: readonly (() => Promise<unknown>)[],
  time: () => number | Promise<number>,
  { rounds, warmup = 3 }: { readonly rounds: number; readonly warmup?: number },
): Promise<number[]> {
  const ratios: number[][] = variants.slice(1).map(() => []);
  for (let round = -warmup; round < rounds; round++) {
    const times: number[] = [];
    for (const variant of variants) {
      const began = await time();
      await variant();
      times.push((await time()) - began);
    }
    const [base = Number.NaN, ...others] = times;
    if (round >= 0) for (const [index, time] of others.entries()) ratios[index]?.push(time / base);
  }
  return ratios.map(median);
}

export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Returns a clock of the processor time of this process and of a Redis together. */
export function processorTimeWith(client: Redis): () => Promise<number> {
  return async () => {
    const report = await client.info("cpu");
    const seconds = [...report.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)];
    return seconds.reduce((sum, [, used]) => sum + Number(used) * 1_000, processorTime());
  };
}

export function wallTime(): number {
  return performance.now();
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
