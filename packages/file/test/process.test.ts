import { describeColdReaders } from "@cacheme/test-services/cold-tests";
import { describeDiskProcesses } from "@cacheme/test-services/disk/process-tests";
import { record, text } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it } from "vitest";
import { connected, place } from "./place.js";

const start = describeDiskProcesses({
  source: new URL("program.ts", import.meta.url),
  place,
  folderOf: (folder) => folder,
  connected,
  patience: 120_000,
});

describe("readers in several processes", () => {
  describeColdReaders(place, new URL("program.ts", import.meta.url));
});

describe("processes that are killed while they write", () => {
  it("leave whole records, and block nobody", { timeout: 120_000 }, async () => {
    const folder = place();
    const keys = Array.from({ length: 20 }, (_, index) => `${index}`);
    for (let round = 0; round < 5; round++) {
      const runs = [start("writesForEver", folder), start("writesForEver", folder)];
      for (const run of runs) expect(await run.said()).toBe("ready");
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
      await Promise.all(runs.map((run) => run.kill()));
      const storage = await connected(folder);
      for (const bytes of await storage.readMany(keys)) {
        if (bytes === undefined) continue;
        expect(bytes.length).toBe(100_000);
        expect(new Set(bytes).size).toBe(1);
      }
      // Leases of 50 ms and locks of 250 ms are what the killed ones may have left.
      await storage.generations!.bump(["tag"], undefined);
      for (const key of keys) {
        let outcome: string | undefined;
        while (outcome !== "granted" && outcome !== "fresh") {
          const [answer] = await storage.leases!.acquire([{ key, duration: 1 }]);
          outcome = answer?.outcome;
        }
      }
    }
  });
});

describe("what a process may not do", () => {
  it("does not open a file for each key of a batch at once", async () => {
    expect(await start("writesMany", place(), { limits: "ulimit -n 100;" }).said()).toBe(500);
  });

  it("is told where a file cannot grow, and keeps what was there", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("large", "before")]);
    expect(await start("writesTooMuch", folder, { limits: "ulimit -f 100;" }).said()).toEqual([
      "CACHEME_STORAGE_FAILED",
      expect.stringContaining("EFBIG"),
    ]);
    expect(await text(storage, "large")).toBe("before");
  });
});
