/** A program that uses a storage in a process of its own, and ends by itself, without close(). */
import { readsColdKey, runColdReaders } from "@cacheme/test-services/cold-program";
import { type DiskProgram, runDiskScenario, say } from "@cacheme/test-services/disk/program";
import * as cacheme from "cacheme";
import { sqlite } from "../src/index.js";

const diskProgram: DiskProgram = {
  make: (file, scenario) =>
    sqlite(file, scenario === "needsLibrary" ? { driver: "better-sqlite3" } : { commandTimeout: "20s" }),
  load: () => sqlite(":memory:").connect(),
  scenarios: {
    /** Writes until it is killed: batches whose records all say the same. */
    async writesForEver(storage) {
      say("ready");
      for (let round = 0; ; round++) {
        const bytes = Buffer.alloc(3000, round % 251);
        await storage.writeMany(
          Array.from({ length: 50 }, (_, index) => ({ key: `${index}`, bytes, ttl: undefined })),
        );
        await storage.leases?.acquire([{ key: `${round % 50}`, duration: 1, steal: true }]);
      }
    },
  },
};

await (readsColdKey
  ? runColdReaders(cacheme, (path) => sqlite(path, { commandTimeout: "20s" }))
  : runDiskScenario(diskProgram));
