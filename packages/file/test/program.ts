/** A program that uses a storage in a process of its own, and ends by itself, without close(). */
import { readsColdKey, runColdReaders } from "@cacheme/test-services/cold-program";
import { type DiskProgram, runDiskScenario, say } from "@cacheme/test-services/disk/program";
import * as cacheme from "cacheme";
import { file } from "../src/index.js";

const diskProgram: DiskProgram = {
  make: (folder) => file(folder, { commandTimeout: "30s" }),
  scenarios: {
    /** A batch of far more keys than files may be open. */
    async writesMany(storage) {
      const keys = Array.from({ length: 500 }, (_, index) => `${index}`);
      await storage.writeMany(keys.map((key) => ({ key, bytes: Buffer.from(key), ttl: undefined })));
      const found = await storage.readMany(keys);
      return found.filter((bytes, index) => bytes && Buffer.from(bytes).toString() === keys[index]).length;
    },

    async writesTooMuch(storage) {
      await storage.writeMany([{ key: "large", bytes: Buffer.alloc(1_000_000), ttl: undefined }]);
    },

    /** Writes until it is killed: records of which every byte says the same. */
    async writesForEver(storage) {
      say("ready");
      for (let round = 0; ; round++) {
        const bytes = Buffer.alloc(100_000, round % 251);
        const keys = Array.from({ length: 20 }, (_, index) => `${index}`);
        await storage.writeMany(keys.map((key) => ({ key, bytes, ttl: undefined })));
        const asked = keys.map((key) => ({ key, duration: 50, steal: true }));
        const answers = (await storage.leases?.acquire(asked)) ?? [];
        const fills = answers.flatMap((answer, index) =>
          answer.outcome === "granted"
            ? [{ key: keys[index] ?? "", bytes, ttl: undefined, token: answer.token }]
            : [],
        );
        await storage.leases?.fill(fills);
        await storage.generations?.bump(["tag"], undefined);
      }
    },
  },
};

await (readsColdKey
  ? runColdReaders(cacheme, (folder) => file(folder, { commandTimeout: "30s" }))
  : runDiskScenario(diskProgram));
