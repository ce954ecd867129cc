/**
 * Runs the variants in turn, round by round, and gives for each but the first the median over the rounds of its time divided
 * by the first one's in the same round: the machine's speed drifts, and the ratio of neighbours does not.
 *
 * @param time milliseconds so far: `processorTime` for what runs in this process alone, so that other programs on the machine
 *   do not count; `wallTime` where a server takes part
 */
export async function interleaved(
  variants: readonly (() => Promise<unknown>)[],
  time: () => number,
  { rounds, warmup = 3 }: { readonly rounds: number; readonly warmup?: number },
): Promise<number[]> {
  const ratios: number[][] = variants.slice(1).map(() => []);
  for (let round = -warmup; round < rounds; round++) {
    const times: number[] = [];
    for (const variant of variants) {
      const began = time();
      await variant();
      times.push(time() - began);
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

export function wallTime(): number {
  return performance.now();
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
