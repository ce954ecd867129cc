import { performance } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { oneAtATime, pause, within } from "../../src/driver/waiting.js";

describe("pause", () => {
  it("settles after its time", async () => {
    const began = performance.now();
    await pause(20);
    // Timers count from the beginning of the event loop's turn.
    expect(performance.now() - began).toBeGreaterThan(10);
  });
});

describe("within", () => {
  it("answers and fails as the promise does", async () => {
    expect(await within(100, Promise.resolve("in time"), () => "late")).toBe("in time");
    const broken = Promise.reject(new Error("broken"));
    await expect(within(100, broken, () => "late")).rejects.toThrow("broken");
  });

  it("answers or fails as `late` does when the time has passed", async () => {
    const never = new Promise<never>(() => {});
    expect(await within(1, never, () => "late")).toBe("late");
    const failure = within(1, never, () => {
      throw new Error("too late");
    });
    await expect(failure).rejects.toThrow("too late");
  });
});

describe("oneAtATime", () => {
  it("shares a run among concurrent calls, also one that fails, and then runs again", async () => {
    let runs = 0;
    const run = oneAtATime(async () => {
      runs++;
      await pause(1);
      if (runs === 1) throw new Error("the first one fails");
      return runs;
    });
    const first = await Promise.allSettled([run(), run()]);
    expect(first.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await Promise.all([run(), run()])).toEqual([2, 2]);
  });
});
