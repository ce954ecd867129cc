/** A program that uses a storage in a process of its own, and ends by itself, without close(). */
import { once } from "node:events";
import type { RemoteStorage } from "cacheme/driver";
import { sqlite } from "../src/index.js";

const [, , scenario = "", file = ""] = process.argv;

const scenarios: Record<string, (storage: RemoteStorage) => Promise<unknown>> = {
  async writes(storage) {
    await storage.writeMany([{ key: "program", bytes: Buffer.from("value"), ttl: undefined }]);
    return "written";
  },

  async writesWithoutRights(storage) {
    return scenarios["writes"]?.(storage);
  },

  /** Takes every lease that is to be had and makes every generation that is missing, when it is told to. */
  async races(storage) {
    await signal();
    const won: string[] = [];
    const ids: string[] = [];
    for (let index = 0; index < 100; index++) {
      const [answer] = (await storage.leases?.acquire([{ key: `lease:${index}`, duration: 600_000 }])) ?? [];
      if (answer?.outcome === "granted") won.push(`lease:${index}`);
      const [generation] = (await storage.generations?.ensure([`tag:${index}`], undefined)) ?? [];
      ids.push(generation?.id ?? "");
    }
    return { won, ids };
  },

  /** Writes until it is killed: batches whose records all say the same. */
  async writesForEver(storage) {
    console.log(JSON.stringify("ready"));
    for (let round = 0; ; round++) {
      const bytes = Buffer.alloc(3000, round % 251);
      await storage.writeMany(
        Array.from({ length: 50 }, (_, index) => ({ key: `${index}`, bytes, ttl: undefined })),
      );
      await storage.leases?.acquire([{ key: `${round % 50}`, duration: 1, steal: true }]);
    }
  },

  /** Increments a number under a lease, again and again: what is lost shows that two held it at once. */
  async counts(storage) {
    for (let done = 0; done < 25; ) {
      const [answer] =
        (await storage.leases?.acquire([{ key: "count", duration: 60_000, steal: false }])) ?? [];
      if (answer?.outcome !== "granted") {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        continue;
      }
      const [bytes] = await storage.readMany(["count"]);
      const next = Number(bytes === undefined ? 0 : Buffer.from(bytes).toString()) + 1;
      const record = { key: "count", bytes: Buffer.from(`${next}`), ttl: undefined, freshFor: 1 };
      const [stored] = (await storage.leases?.fill([{ ...record, token: answer.token }])) ?? [];
      if (stored) done++;
    }
    return "counted";
  },
};

async function signal(): Promise<void> {
  console.log(JSON.stringify("ready"));
  await once(process.stdin, "data");
  process.stdin.unref?.();
  process.stdin.pause();
}

/** Becomes somebody who may not do everything, once what is needed has been loaded. */
async function dropRights(): Promise<void> {
  await sqlite(":memory:").connect();
  process.setgid?.(65_534);
  process.setuid?.(65_534);
}

try {
  if (scenario === "writesWithoutRights" && process.getuid?.() === 0) await dropRights();
  const storage = sqlite(
    file,
    scenario === "needsLibrary" ? { driver: "better-sqlite3" } : { commandTimeout: "20s" },
  );
  await storage.connect();
  console.log(JSON.stringify((await scenarios[scenario]?.(storage)) ?? "done"));
} catch (error) {
  console.log(
    JSON.stringify(error instanceof Error && "code" in error ? [error.code, error.message] : `${error}`),
  );
}
