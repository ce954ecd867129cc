/** A program that uses a storage in a process of its own, and ends by itself, without close(). */
import { once } from "node:events";
import type { RemoteStorage } from "cacheme/driver";
import { file } from "../src/index.js";

const [, , scenario = "", folder = ""] = process.argv;

const scenarios: Record<string, (storage: RemoteStorage) => Promise<unknown>> = {
  async writes(storage) {
    await storage.writeMany([{ key: "program", bytes: Buffer.from("value"), ttl: undefined }]);
    return "written";
  },

  async writesWithoutRights(storage) {
    return scenarios["writes"]?.(storage);
  },

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

  /** Takes every lease that is to be had and makes every generation that is missing, when it is told to. */
  async races(storage) {
    console.log(JSON.stringify("ready"));
    await once(process.stdin, "data");
    process.stdin.pause();
    const won: string[] = [];
    const ids: string[] = [];
    for (let index = 0; index < 50; index++) {
      const [answer] = (await storage.leases?.acquire([{ key: `lease:${index}`, duration: 600_000 }])) ?? [];
      if (answer?.outcome === "granted") won.push(`lease:${index}`);
      const [generation] = (await storage.generations?.ensure([`tag:${index}`], undefined)) ?? [];
      ids.push(generation?.id ?? "");
    }
    return { won, ids };
  },

  /** Increments a number under a lease, again and again: what is lost shows that two held it at once. */
  async counts(storage) {
    for (let done = 0; done < 20; ) {
      const [answer] = (await storage.leases?.acquire([{ key: "count", duration: 60_000 }])) ?? [];
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

  /** Writes until it is killed: records of which every byte says the same. */
  async writesForEver(storage) {
    console.log(JSON.stringify("ready"));
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
};

try {
  if (scenario === "writesWithoutRights" && process.getuid?.() === 0) {
    process.setgid?.(65_534);
    process.setuid?.(65_534);
  }
  const storage = file(folder, { commandTimeout: "30s" });
  await storage.connect();
  console.log(JSON.stringify((await scenarios[scenario]?.(storage)) ?? "done"));
} catch (error) {
  console.log(
    JSON.stringify(error instanceof Error && "code" in error ? [error.code, error.message] : `${error}`),
  );
}
