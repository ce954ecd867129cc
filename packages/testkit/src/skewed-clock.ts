/**
 * Runs a function while this process's `Date` is wrong, in all its forms. Storages must use their
 * own clock, so the function sees no difference.
 *
 * @param skew milliseconds that the clock is ahead; negative if it is behind
 */
export async function withSkewedClock(skew: number, act: () => Promise<void>): Promise<void> {
  const right = globalThis.Date;
  class SkewedDate extends right {
    constructor(...given: readonly unknown[]) {
      if (given.length === 0) super(right.now() + skew);
      // Passes the arguments of Date's constructor on unchanged.
      else super(...(given as ConstructorParameters<typeof Date>));
    }

    static override now(): number {
      return right.now() + skew;
    }
  }
  // SkewedDate differs from Date only if it is called without `new`, which no caller does.
  globalThis.Date = SkewedDate as DateConstructor;
  try {
    await act();
  } finally {
    globalThis.Date = right;
  }
}
