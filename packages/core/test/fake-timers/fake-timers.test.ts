import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Cacheme, memory, systemClock } from "../../src/index.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, twoTiers } from "../support/space.js";

describe.each(["before", "after"])("under fake timers that were installed %s the import", (moment) => {
  let program: Program;
  let outcome: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    program = await bundleProgram(new URL("fakes.program.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program.path, moment]);
    outcome = JSON.parse(stdout);
  }, 60_000);
  afterAll(() => program.remove());

  it("answers reads, and those behind several awaits in the batch of their tick", () => {
    expect(outcome).toMatchObject({ values: [1, 3, 5], reads: 1 });
  });

  it("keeps the deadlines of loads, of calls to a storage and of connecting", () => {
    expect(outcome).toMatchObject({
      loadCode: "CACHEME_LOAD_TIMEOUT",
      readCode: "CACHEME_STORAGE_FAILED",
      connectCode: "CACHEME_CONNECT_FAILED",
    });
  });

  it("has ttls that follow a faked date", () => {
    expect(outcome).toMatchObject({ isLocal: false, loadsWithinTtl: 3, loadsAfterTtl: 4 });
  });
});

describe("under Vitest's fake timers", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("answers a miss, and expires entries when the date advances", async () => {
    // All except nextTick, which Vitest does not fake in a child process.
    vi.useFakeTimers({
      toFake: [
        "Date",
        "clearImmediate",
        "clearInterval",
        "clearTimeout",
        "hrtime",
        "performance",
        "queueMicrotask",
        "setImmediate",
        "setInterval",
        "setTimeout",
      ],
    });
    const cacheme = new Cacheme();
    await cacheme.registerStorage("local", memory());
    await cacheme.registerStorage("remote", new SimulatedRemote(systemClock));
    const { Counting, loads } = countingNode({ caches: twoTiers }, (id) => id);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined();
    vi.advanceTimersByTime(600_000);
    expect(await cacheme.get(new Counting(1))).toBe(1);
    expect(loads).toEqual([1, 1]);
  });
});
