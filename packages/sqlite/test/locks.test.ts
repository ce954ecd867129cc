import { record, text } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { sqlite } from "../src/index.js";
import { connected, handle, place } from "./place.js";

/** A test has a clock of its own. */
vi.mock("cacheme/driver", async (original) => ({
  ...(await original<typeof import("cacheme/driver")>()),
  elapsed: () => performance.now(),
}));

const hasty = { commandTimeout: 300, connectTimeout: 300 } as const;

describe("a file that another connection has locked", () => {
  it("is read all the same", async () => {
    const file = place();
    const storage = await connected(file, hasty);
    await storage.writeMany([record("a", "A")]);
    handle(file).exec("BEGIN IMMEDIATE");
    expect(await text(storage, "a")).toBe("A");
  });

  it("is waited for without holding up the event loop", async () => {
    const file = place();
    const storage = await connected(file);
    const other = handle(file);
    other.exec("BEGIN IMMEDIATE");
    const written = storage.writeMany([record("a", "A")]);
    let turns = 0;
    while (turns < 20) turns += await new Promise<number>((resolve) => setImmediate(resolve, 1));
    other.exec("COMMIT");
    await written;
    expect(await text(storage, "a")).toBe("A");
  });

  it("is an error that says so within the deadline, and works again by itself", async () => {
    const file = place();
    const storage = await connected(file, hasty);
    const other = handle(file);
    other.exec("BEGIN IMMEDIATE");
    const calls = [
      storage.writeMany([record("a", "A")]),
      storage.removeMany(["a"]),
      storage.leases!.acquire([{ key: "a", duration: 1000 }]),
      storage.generations!.bump(["tag"], undefined),
    ];
    // After the deadline they would say that there was no answer.
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({
        reason: { code: "CACHEME_STORAGE_FAILED", message: expect.stringContaining("holds the lock") },
      });
    }
    other.exec("COMMIT");
    await storage.writeMany([record("a", "A")]);
    expect(await text(storage, "a")).toBe("A");
  });

  it("is not opened while another process opens it or sets it aside", async () => {
    const file = place();
    const other = handle(`${file}-lock`);
    other.exec("BEGIN EXCLUSIVE");
    const storage = sqlite(file, hasty);
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringContaining("holds the lock"),
    });
    other.exec("ROLLBACK");
    await storage.connect();
    await storage.close();
  });
});

describe("a large batch", () => {
  /** Lets each look at the time come 25 ms after the one before, so that a few records are a slice. */
  function lookAtSlowClock(): void {
    const now = performance.now();
    let looks = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now + 25 * looks++);
    onTestFinished(() => clock.mockRestore());
  }

  it("is cut into slices by its time, and the event loop goes on between any two", async () => {
    const storage = await connected(place(), { commandTimeout: "30s" });
    lookAtSlowClock();
    const keys = Array.from({ length: 160 }, (_, index) => `${index}`);
    for (const work of [
      () => storage.writeMany(keys.map((key) => record(key, "value"))),
      () => storage.readMany(keys),
      () => storage.removeMany(keys),
    ]) {
      let turns = 0;
      let isDone = false;
      const count = (): void => {
        turns++;
        if (!isDone) setImmediate(count);
      };
      setImmediate(count);
      await work();
      isDone = true;
      expect(turns).toBeGreaterThanOrEqual(9);
    }
  });

  it("is done as a whole, however many slices it takes", async () => {
    const storage = await connected(place(), { commandTimeout: "30s" });
    lookAtSlowClock();
    const keys = Array.from({ length: 500 }, (_, index) => `${index}`);
    await storage.writeMany(keys.map((key) => record(key, key)));
    expect((await storage.readMany(keys)).map(String)).toEqual(keys);
    expect(await storage.removeMany(keys)).toBe(500);
  });
});

describe("an ensure", () => {
  it("of generations that are there waits for no lock of a writer", async () => {
    const file = place();
    const storage = await connected(file, { commandTimeout: "30s" });
    const before = await storage.generations?.ensure(["a", "b"], 60_000);
    const other = handle(file);
    other.exec("BEGIN IMMEDIATE");
    expect(await storage.generations?.ensure(["a", "b"], 60_000)).toEqual(before);
    const missing = storage.generations?.ensure(["a", "c", "b"], 60_000);
    other.exec("ROLLBACK");
    const [a, c, b] = (await missing) ?? [];
    expect([a, b]).toEqual(before);
    expect(c?.id).toMatch(/^[\w-]{22}$/);
  });
});
