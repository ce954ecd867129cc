/**
 * Runs the variants in turn, round by round, and gives for each but the first the median over the rounds of its time divided
 * by the first one's in the same round: the machine's speed drifts, and the ratio of neighbours does not. What is counted is
 * the process's own processor time, so that other programs on the machine do not count.
 */
export async function interleaved(
  variants: readonly (() => Promise<unknown>)[],
  { rounds, warmup = 3 }: { readonly rounds: number; readonly warmup?: number },
): Promise<number[]> {
  const ratios: number[][] = variants.slice(1).map(() => []);
  for (let round = -warmup; round < rounds; round++) {
    const times: number[] = [];
    for (const variant of variants) {
      const began = process.cpuUsage();
      await variant();
      const { user, system } = process.cpuUsage(began);
      times.push(user + system);
    }
    const [base = Number.NaN, ...others] = times;
    if (round >= 0) for (const [index, time] of others.entries()) ratios[index]?.push(time / base);
  }
  return ratios.map(median);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
