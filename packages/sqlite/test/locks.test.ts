import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { connected, handle, place, record, text } from "./place.js";

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
    const began = performance.now();
    const calls = [
      storage.writeMany([record("a", "A")]),
      storage.removeMany(["a"]),
      storage.leases!.acquire([{ key: "a", duration: 1000 }]),
      storage.generations!.bump(["tag"], undefined),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({
        reason: { code: "CACHEME_STORAGE_FAILED", message: expect.stringContaining("holds the lock") },
      });
    }
    // A busy machine has two seconds more.
    expect(performance.now() - began).toBeLessThan(hasty.commandTimeout + 2000);
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
  it("lets the event loop go on", async () => {
    const storage = await connected(place(), { commandTimeout: "30s" });
    const bytes = Buffer.alloc(10_000);
    let turns = 0;
    const count = setInterval(() => turns++, 1);
    await storage.writeMany(
      Array.from({ length: 10_000 }, (_, index) => ({ key: `${index}`, bytes, ttl: undefined })),
    );
    clearInterval(count);
    expect(turns).toBeGreaterThan(3);
    expect(await storage.removeMany(Array.from({ length: 10_000 }, (_, index) => `${index}`))).toBe(10_000);
  });
});
