/**
 * Runs something while this process's clock is wrong: `Date` is, in all its forms. What the storage's own clock says must
 * count, so nothing may change.
 *
 * @param skew milliseconds that the clock is ahead; negative behind
 */
export async function withSkewedClock(skew: number, act: () => Promise<void>): Promise<void> {
  const right = globalThis.Date;
  class SkewedDate extends right {
    constructor(...given: readonly unknown[]) {
      if (given.length === 0) super(right.now() + skew);
      // The constructor of Date takes what it takes; nothing is changed on the way.
      else super(...(given as ConstructorParameters<typeof Date>));
    }

    static override now(): number {
      return right.now() + skew;
    }
  }
  // A function like the one that it stands for, but for being callable without `new`, which nobody does.
  globalThis.Date = SkewedDate as DateConstructor;
  try {
    await act();
  } finally {
    globalThis.Date = right;
  }
}
