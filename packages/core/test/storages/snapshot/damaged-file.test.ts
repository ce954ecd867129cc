import { scrypt } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { VirtualClock } from "../../support/virtual-clock.js";
import { Run, SnapshotFolder } from "./snapshot-space.js";

const ids = Array.from({ length: 20 }, (_, id) => id);

/** Leaves a file with 20 users, of which the process has invalidated one. */
async function written(folder: SnapshotFolder, ending: "killed" | "closed" = "killed") {
  const run = await Run.begin(new VirtualClock(), folder.file);
  const User = run.userClass();
  await run.cacheme.getAll(ids.map((id) => new User(id, [`tag${id % 3}`])));
  const { bytes: saved } = await run.local.saveSnapshot();
  await run.cacheme.invalidate(new User(7));
  if (ending === "closed") await run.cacheme.close();
  return { whole: readFileSync(folder.file), saved };
}

/** Makes a foreign file of 200 MB, which takes no space on the disk. */
function enlarge(file: string): void {
  writeFileSync(file, "a file of the user's");
  truncateSync(file, 200_000_000);
}

function replaceByFolder(file: string): void {
  rmSync(file);
  mkdirSync(file);
}

/** Reads every user, and returns those that were loaded. */
async function loaded(run: Run): Promise<readonly string[]> {
  const User = run.userClass();
  const values = await run.cacheme.getAll(ids.map((id) => new User(id, [`tag${id % 3}`])));
  for (const id of ids) expect(values[id]?.name.startsWith(`user ${id}, `)).toBe(true);
  return run.loads;
}

describe("a file that cannot be read", () => {
  it.each([
    ["missing", "missing", (file: string) => rmSync(file)],
    ["empty", "corrupt", (file: string) => truncateSync(file, 0)],
    ["foreign", "format", (file: string) => writeFileSync(file, "a file of the user's")],
    ["a foreign large one", "format", enlarge],
    ["a folder", "failed", replaceByFolder],
    ["torn", "corrupt", (file: string) => truncateSync(file, 400)],
  ] as const)("is a cold start with an event, and no error: %s", async (_, fault, damage) => {
    using folder = new SnapshotFolder();
    await written(folder, "closed");
    damage(folder.file);
    const run = await Run.begin(new VirtualClock(), folder.file);
    expect(run.events).toEqual([
      { storage: "local", file: folder.file, operation: "read", fault, error: expect.any(Error) },
    ]);
    expect(await loaded(run)).toHaveLength(20);
    await run.cacheme.close();
  });

  it("is replaced if it was a snapshot, and never if it is a foreign one", async () => {
    using folder = new SnapshotFolder();
    await written(folder);
    truncateSync(folder.file, 400);
    const torn = await Run.begin(new VirtualClock(), folder.file);
    await torn.local.saveSnapshot();
    expect((await Run.begin(new VirtualClock(), folder.file)).events).toMatchObject([{ entries: 0 }]);

    writeFileSync(folder.file, "a file of the user's");
    const foreign = await Run.begin(new VirtualClock(), folder.file);
    await expect(foreign.local.saveSnapshot()).rejects.toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
    await foreign.cacheme.close();
    expect(readFileSync(folder.file, "utf8")).toBe("a file of the user's");
    expect(readdirSync(folder.path)).toEqual(["cache.snapshot"]);
  });

  it("never answers wrongly, wherever it was cut", async () => {
    using folder = new SnapshotFolder();
    const { whole, saved } = await written(folder);
    for (let length = 0; length < whole.length; length += length < saved ? 83 : 3) {
      if (length === saved) continue; // The process has written the invalidation, so it cannot be missing.
      writeFileSync(folder.file, whole.subarray(0, length));
      const run = await Run.begin(new VirtualClock(), folder.file);
      expect(await loaded(run)).toContain("7");
    }
  });

  it("never answers wrongly, whichever byte was changed", async () => {
    using folder = new SnapshotFolder();
    const { whole } = await written(folder);
    for (let place = 0; place < whole.length; place += 67) {
      const bytes = Buffer.from(whole);
      bytes[place] = (bytes[place] ?? 0) ^ (1 << (place % 8));
      writeFileSync(folder.file, bytes);
      const run = await Run.begin(new VirtualClock(), folder.file);
      expect(await loaded(run)).toContain("7");
    }
  });
});

describe("the file", () => {
  it("is replaced as a whole: a save that fails leaves the older one", async () => {
    using folder = new SnapshotFolder();
    const run = await Run.begin(new VirtualClock(), folder.file);
    const User = run.userClass();
    await run.cacheme.get(new User(1));
    await run.local.saveSnapshot();
    mkdirSync(`${folder.file}.tmp`);
    await expect(run.local.saveSnapshot()).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringContaining(folder.file),
    });
    expect(run.events.at(-1)).toMatchObject({ operation: "save", fault: "failed" });
    rmSync(`${folder.file}.tmp`, { recursive: true });
    const next = await Run.begin(new VirtualClock(), folder.file);
    const Next = next.userClass();
    await next.cacheme.get(new Next(1));
    expect(next.loads).toEqual([]);
  });

  it.skipIf(process.platform === "win32")("is never put in the place of a device", async () => {
    using folder = new SnapshotFolder();
    symlinkSync("/dev/null", folder.file);
    const run = await Run.begin(new VirtualClock(), folder.file);
    expect(run.events).toMatchObject([{ operation: "read", fault: "format" }]);
    await expect(run.local.saveSnapshot()).rejects.toThrow("not a regular file");
    await run.cacheme.close();
    expect(readlinkSync(folder.file)).toBe("/dev/null");
  });

  it.skipIf(process.platform === "win32")("can be read by its owner only", async () => {
    using folder = new SnapshotFolder();
    await written(folder);
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
  });

  it("belongs to the process that has opened it last: the other one saves nothing any more", async () => {
    using folder = new SnapshotFolder();
    await written(folder, "closed");
    const one = await Run.begin(new VirtualClock(), folder.file);
    const other = await Run.begin(new VirtualClock(), folder.file);
    await expect(one.local.saveSnapshot()).rejects.toThrow("Another process uses the file");
    expect(one.events.at(-1)).toMatchObject({ operation: "save", fault: "taken" });
    await other.local.saveSnapshot();
    await one.cacheme.close();
    await other.cacheme.close();
    const next = await Run.begin(new VirtualClock(), folder.file);
    expect(next.events).toMatchObject([{ operation: "read", entries: 19, keys: 0 }]);
  });

  it("stays that of the newer process, although the older one changes its entries until it ends", async () => {
    using folder = new SnapshotFolder();
    const older = await Run.begin(new VirtualClock(), folder.file);
    const User = older.userClass();
    await older.cacheme.getAll(ids.map((id) => new User(id)));
    await older.local.saveSnapshot();
    const newer = await Run.begin(new VirtualClock(), folder.file);
    const Newer = newer.userClass();
    for (const id of [1, 2, 3]) await older.cacheme.invalidate(new User(id));
    await newer.cacheme.invalidate(new Newer(4));
    await older.cacheme.close();
    const killed = readFileSync(folder.file);
    expect(await newer.local.saveSnapshot()).toMatchObject({ entries: 19 });
    writeFileSync(folder.file, killed);
    const next = await Run.begin(new VirtualClock(), folder.file);
    const Next = next.userClass();
    await next.cacheme.getAll(ids.map((id) => new Next(id)));
    expect(next.loads).toEqual(["4"]);
  });

  it("is not taken for another one while it grows", async () => {
    using folder = new SnapshotFolder();
    const run = await Run.begin(new VirtualClock(), folder.file);
    const User = run.userClass();
    await run.cacheme.getAll(ids.map((id) => new User(id)));
    await run.local.saveSnapshot();
    // The thread pool is busy, so the save learns the length of the file late.
    const busy = Promise.all(ids.slice(0, 8).map(() => promisify(scrypt)("password", "salt", 64)));
    const saving = run.local.saveSnapshot();
    await new Promise((resolve) => setImmediate(resolve));
    await run.cacheme.invalidate(new User(7));
    expect(await saving).toMatchObject({ entries: 19 });
    await busy;
  });

  it("is replaced later if it could not be read because the disk is full", async () => {
    using folder = new SnapshotFolder();
    await written(folder, "closed");
    const handle = await open(folder.file);
    await handle.close();
    const full = vi.spyOn(Object.getPrototypeOf(handle), "write");
    full.mockRejectedValueOnce(Object.assign(new Error("no space left on device"), { code: "ENOSPC" }));
    const run = await Run.begin(new VirtualClock(), folder.file);
    full.mockRestore();
    expect(run.events).toMatchObject([{ operation: "read", fault: "failed" }]);
    const User = run.userClass();
    await run.cacheme.get(new User(1));
    expect(await run.local.saveSnapshot()).toMatchObject({ entries: 1 });
  });

  it("is not saved before it was read", async () => {
    using folder = new SnapshotFolder();
    await written(folder, "closed");
    const run = new Run(new VirtualClock(), folder.file);
    const registered = run.cacheme.registerStorage("local", run.local);
    expect(await run.local.saveSnapshot()).toMatchObject({ entries: 19 });
    await registered;
  });

  it("is given back by a space that is closed while it is read", async () => {
    using folder = new SnapshotFolder();
    await written(folder, "closed");
    const clock = new VirtualClock();
    const run = new Run(clock, { file: folder.file, interval: "1m" });
    const registered = run.cacheme.registerStorage("local", run.local);
    await run.cacheme.close();
    await expect(registered).rejects.toMatchObject({ code: "CACHEME_CLOSED" });
    expect(run.events).toMatchObject([{ operation: "read" }, { operation: "save", entries: 19 }]);
    expect(clock.pending).toBe(0);
  });

  it("is no larger than `maxBytes`, also with large values", async () => {
    using folder = new SnapshotFolder();
    const run = await Run.begin(new VirtualClock(), { file: folder.file, maxBytes: 10_000 });
    const User = run.userClass();
    for (const id of ids) await run.cacheme.set(new User(id), { name: "x".repeat(id < 3 ? 6_000 : 100) });
    const { leftOut } = await run.local.saveSnapshot();
    expect(statSync(folder.file).size).toBeLessThan(10_100);
    expect(leftOut).toBe(2);
  });
});
