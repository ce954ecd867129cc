import { describe, expect, it } from "vitest";
import { Fitting, LONGEST_COPIED } from "../../src/table/column.js";

/** Takes all steps of one column. Returns the column and the number of steps. */
function allSteps(
  column: Int32Array,
  length: number,
): { readonly fitted: Int32Array; readonly steps: number } {
  const fitting = new Fitting();
  let fitted = column;
  let steps = 0;
  for (; fitted.length !== length; steps++) {
    expect(fitted).toBe(column);
    fitted = fitting.fit(fitted, length);
  }
  return { fitted, steps };
}

function isResizable({ buffer }: Int32Array): boolean {
  return (buffer as ArrayBuffer & { resizable: boolean }).resizable;
}

describe("Fitting", () => {
  it("keeps the elements and fills up with 0", () => {
    expect([...allSteps(Int32Array.of(1, 2), 4).fitted]).toEqual([1, 2, 0, 0]);
    expect([...allSteps(Int32Array.of(1, 2, 3), 2).fitted]).toEqual([1, 2]);
  });

  it("takes a step for each 128 KB, during which the column may be written", () => {
    const column = new Int32Array(100_000).fill(1);
    const fitting = new Fitting();
    expect(fitting.fit(column, 150_000)).toBe(column);
    column.fill(2);
    let fitted = column;
    let steps = 1;
    for (; fitted === column; steps++) fitted = fitting.fit(column, 150_000);
    expect([steps, fitted[0], fitted[99_999], fitted[100_000]]).toEqual([4, 2, 2, 0]);
  });

  it("starts again for another length or another kind of column", () => {
    const fitting = new Fitting();
    const column = new Int32Array(100_000).fill(3);
    fitting.fit(column, 150_000);
    fitting.fit(new Float64Array(100_000), 150_000);
    let fitted = column;
    while (fitted === column) fitted = fitting.fit(column, 120_000);
    expect([fitted.length, fitted[99_999]]).toEqual([120_000, 3]);
  });

  it("resizes a very long column in place, and a plain one again once it is shorter", () => {
    const long = allSteps(new Int32Array(LONGEST_COPIED).fill(7), LONGEST_COPIED + 1).fitted;
    expect([isResizable(long), long[LONGEST_COPIED - 1], long[LONGEST_COPIED]]).toEqual([true, 7, 0]);
    const { buffer } = long;
    const longer = new Fitting().fit(long, LONGEST_COPIED + 9);
    expect([longer.buffer === buffer, longer.length]).toEqual([true, LONGEST_COPIED + 9]);
    const shorter = allSteps(longer, 10).fitted;
    expect([isResizable(shorter), [...shorter]]).toEqual([false, Array(10).fill(7)]);
  });
});
