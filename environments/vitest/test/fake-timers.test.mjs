import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { file } from "@cacheme/file";
import { Cacheme, memory } from "cacheme";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { counted, filed, restart } from "./counted.mjs";

let space;
let folder;

/** Vitest refuses to fake nextTick only in child processes. */
const everything = [
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "Date",
  "performance",
  "queueMicrotask",
  "hrtime",
  ...(process.send === undefined ? ["nextTick"] : []),
];

describe.each([
  ["the default timers", undefined],
  ["all timers", { toFake: everything }],
])("with %s faked", (_, options) => {
  beforeEach(async () => {
    restart();
    folder = mkdtempSync(join(tmpdir(), "cacheme-vitest-"));
    vi.useFakeTimers(options);
    space = new Cacheme();
    await space.registerStorage("local", memory());
    await space.registerStorage("files", file(folder));
  });

  afterEach(async () => {
    await space.close();
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  });

  it("answers a miss", async () => {
    expect(await space.getAll([counted("a"), counted("b")])).toEqual([1, 2]);
  });

  it("moves ttls with the faked time", async () => {
    await space.get(counted("a"));
    vi.advanceTimersByTime(59_999);
    expect(await space.get(counted("a"))).toBe(1);
    vi.setSystemTime(Date.now() + 1);
    expect(await space.get(counted("a"))).toBe(2);
  });

  it("lets a remote storage answer in real time, despite the faked timers", async () => {
    const reading = space.getAll([filed("a"), filed("b")]);
    vi.advanceTimersByTime(3_600_000);
    expect(await reading).toEqual([1, 2]);
    expect(await space.getAll([filed("a"), filed("b")])).toEqual([1, 2]);
    expect(space.storages().map(({ failureCount }) => failureCount)).toEqual([0, 0]);
  });

  it("does not end a load that waits for a server when all timers run", async () => {
    const reading = space.get(counted("a"), { load: () => wait(1, "loaded") });
    await Promise.resolve();
    vi.runAllTimers();
    expect(await reading).toBe("loaded");
  });
});
