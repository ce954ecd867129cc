import { describe, expect, it } from "vitest";
import { simulate } from "../../src/simulation/simulate.js";
import { setups } from "./setups.js";

/** The number of schedules over all set-ups. */
const schedules = 20_000;

/** Milliseconds. The schedules take a minute of processor time, on a machine that may be busy. */
const timeout = 600_000;

/** CI tries the same schedules for each change, so that it judges the change. Every other run tries new ones. */
const chosen = process.env["CI"] === undefined ? {} : { seed: 1 };

describe("promises 1, 2, 4, 5 and 10 in a cluster, by randomised schedules", () => {
  it("hold in every schedule", { timeout }, async () => {
    const { broken, answered } = await simulate({ setups, schedules, ...chosen });
    expect(broken?.lines.join("\n")).toBeUndefined();
    expect(answered).toBeGreaterThan(schedules);
  });
});
