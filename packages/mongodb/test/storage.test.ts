import { randomUUID } from "node:crypto";
import { flavour, noteSkip } from "@cacheme/test-services";
import { cleanup, until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { MongoClient, ObjectId } from "mongodb";
import { MongoClient as MongoClient6 } from "mongodb-6";
import { describe, expect, it } from "vitest";
import { type MongodbStorageOptions, mongodb } from "../src/index.js";
import { type GenerationDocument, generationOf, longestValue, type RecordDocument } from "../src/record.js";

const bytes = Buffer.from("value");

describeWithServer("mongodb", "the storage in MongoDB", (server) => {
  const { closing } = cleanup();
  /** A server in Java is slow in its first calls. */
  const patient = { connectTimeout: "20s", commandTimeout: "20s" } as const;
  const made = (target: Parameters<typeof mongodb>[0], options: MongodbStorageOptions = {}) =>
    closing(mongodb(target, { ...patient, ...options }));
  const clientOf = () => closing(new MongoClient(server().url));
  const observed = (collection: string) => clientOf().db("test").collection<RecordDocument>(collection);

  describe.each([
    ["7", () => new MongoClient(server().url)],
    ["6", () => new MongoClient6(server().url)],
  ])("with a client of driver %s that the program has already", (version, make) => {
    const collection = `given${version}`;

    it("uses the client with its settings, and never closes it", async () => {
      const client = closing(make());
      const storage = made(client, { collection });
      await storage.writeMany([{ key: "a", bytes, ttl: 60_000 }]);
      expect(await storage.readMany(["a"])).toEqual([new Uint8Array(bytes)]);
      await storage.close();
      expect(await client.db().command({ ping: 1 })).toMatchObject({ ok: 1 });
    });

    it("reads values of a Db whose settings promote nothing", async () => {
      const client = closing(make());
      const db = client.db("test", { promoteValues: false, promoteLongs: false });
      const storage = made(db, { collection });
      await storage.writeMany([{ key: "b", bytes, ttl: 60_000 }]);
      const [answer] = (await storage.leases?.acquire([{ key: "c", duration: 1000 }])) ?? [];
      expect(answer).toMatchObject({ outcome: "granted", at: expect.any(Number) });
      expect(await storage.readMany(["b"])).toEqual([new Uint8Array(bytes)]);
    });
  });

  it("returns small values that keep no large buffer alive", async () => {
    const storage = made(server().url);
    const keys = Array.from({ length: 500 }, (_, index) => `view:${index}`);
    await storage.writeMany(keys.map((key) => ({ key, bytes: Buffer.alloc(100, 1), ttl: 60_000 })));
    for (const value of await storage.readMany(keys)) expect(value?.buffer.byteLength).toBe(100);
    await storage.removeMany(keys);
  });

  it("refuses a value that is too long for a document, names its key, and stores the rest", async () => {
    const storage = made(server().url);
    const long = { key: "long", bytes: Buffer.alloc(longestValue + 1), ttl: 1000 };
    await expect(storage.writeMany([{ key: "short", bytes, ttl: 60_000 }, long])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      keys: new Set(["long"]),
      message: expect.stringMatching(/"long".*16760833 bytes.*16760832/),
    });
    const [short, stored] = await storage.readMany(["short", "long"]);
    expect(short && Buffer.from(short)).toEqual(bytes);
    expect(stored).toBeUndefined();
  });

  it("fills the other records of a batch with a value that is too long", async () => {
    const storage = made(server().url);
    const keys = ["fits", "too long"];
    await storage.removeMany(keys);
    const leases = keys.map((key) => ({ key, duration: 60_000, steal: true }));
    const answers = (await storage.leases?.acquire(leases)) ?? [];
    const records = answers.flatMap((answer, index) =>
      answer.outcome === "granted"
        ? [
            {
              key: keys[index]!,
              bytes: index === 0 ? bytes : Buffer.alloc(longestValue + 1),
              ttl: 60_000,
              token: answer.token,
            },
          ]
        : [],
    );
    expect(records).toHaveLength(2);
    await expect(storage.leases?.fill(records)).rejects.toMatchObject({ keys: new Set(["too long"]) });
    expect((await storage.readMany(keys)).map((found) => found && String(Buffer.from(found)))).toEqual([
      "value",
      undefined,
    ]);
  });

  describe("leases", () => {
    const minute = 60_000;

    /** Leases of some keys, of which the one called `lost` was destroyed. */
    async function granted(...names: readonly string[]) {
      const storage = made(server().url);
      const keys = names.map((name) => `${randomUUID()}:${name}`);
      const leases = storage.leases!;
      const answers = await leases.acquire(keys.map((key) => ({ key, duration: minute })));
      const held = answers.map((answer, index) => {
        if (answer.outcome !== "granted") throw new Error(`expected a lease, got ${answer.outcome}`);
        return { key: keys[index]!, token: answer.token };
      });
      await storage.removeMany(keys.filter((key) => key.endsWith(":lost")));
      return { storage, leases, held };
    }

    it("answers for each released lease whether its token was still stored", async () => {
      const { leases, held } = await granted("a", "lost", "b");
      expect(await leases.release(held)).toEqual([true, false, true]);
      expect(await leases.release(held)).toEqual([false, false, false]);
      const [one] = (await granted("one")).held;
      expect(await leases.release([one!])).toEqual([true]);
      expect(await leases.release([one!])).toEqual([false]);
    });

    it("extends each lease whose token is still stored, and no other", async () => {
      const { leases, held } = await granted("a", "lost", "b");
      const extended = (duration: number) => held.map((lease) => ({ ...lease, duration }));
      expect(await leases.extend!(extended(2 * minute))).toEqual([true, false, true]);
      const again = held.map(({ key }) => ({ key, duration: minute }));
      expect((await leases.acquire(again)).map(({ outcome }) => outcome)).toEqual([
        "held",
        "granted",
        "held",
      ]);
      expect(await leases.extend!(extended(1))).toEqual([true, false, true]);
      await until(async () => (await leases.acquire([again[0]!]))[0]?.outcome === "granted");
      expect(await leases.extend!([{ ...held[0]!, duration: minute }])).toEqual([false]);
    });

    it("grants a lease beside the fresh bytes that the caller has seen, and no other", async () => {
      const storage = made(server().url);
      const keys = ["a", "b"].map((name) => `${randomUUID()}:${name}`);
      await storage.writeMany(keys.map((key) => ({ key, bytes, ttl: minute })));
      const requests = keys.map((key) => ({ key, duration: minute, seen: bytes }));
      const other = requests.map((request) => ({ ...request, seen: Buffer.from("other") }));
      const outcomes = async (asked: typeof requests) =>
        (await storage.leases!.acquire(asked)).map(({ outcome }) => outcome);
      expect(await outcomes(other)).toEqual(["fresh", "fresh"]);
      expect(await outcomes(other.slice(0, 1))).toEqual(["fresh"]);
      expect(await outcomes(requests.slice(0, 1))).toEqual(["granted"]);
      expect(await outcomes(requests)).toEqual(["held", "granted"]);
      expect(await outcomes(other)).toEqual(["fresh", "fresh"]);
    });
  });

  it("names the records that the server refused, without their values", async () => {
    const client = clientOf();
    // A collection whose bulk writes are refused in part, as by a validator of the administrator's.
    const db = client.db("test");
    const collection = db.collection("refusing");
    let refuses = false;
    const refusing = new Proxy(collection, {
      get: (target, name) => {
        if (name !== "bulkWrite" || !refuses) {
          const value: unknown = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        }
        return () => {
          const error = new Error("refused");
          error.name = "MongoBulkWriteError";
          return Promise.reject(
            Object.assign(error, { writeErrors: [{ index: 1, code: 121, errmsg: "Not valid" }] }),
          );
        };
      },
    });
    const storage = made({
      databaseName: "test",
      collection: () => refusing,
      command: (command, options) => db.command(command, options),
    });
    await storage.connect();
    refuses = true;
    const records = ["a", "b"].map((key) => ({ key, bytes, ttl: 1000 }));
    await expect(storage.writeMany(records)).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringMatching(/a write failed for 1 of 2 keys: "b".*Not valid/),
    });
    const long = { key: "long", bytes: Buffer.alloc(longestValue + 1), ttl: 1000 };
    await expect(storage.writeMany([long, ...records])).rejects.toMatchObject({
      keys: new Set(["long", "b"]),
    });
  });

  it("creates an index by which the server removes expired documents", async () => {
    await made(server().url, { collection: "indexed" }).ping();
    const indexes = await observed("indexed").listIndexes().toArray();
    expect(indexes).toContainEqual(
      expect.objectContaining({ name: "cacheme_sweep", key: { cachemeSweepAt: 1 }, expireAfterSeconds: 0 }),
    );
  });

  it("works if the server refuses the index", async () => {
    const client = clientOf();
    const db = client.db("test");
    const refusal = Object.assign(new Error("not allowed"), { name: "MongoServerError", code: 13 });
    const storage = made({
      databaseName: "test",
      collection: (name) => db.collection(name),
      command: (command, options) =>
        "createIndexes" in command ? Promise.reject(refusal) : db.command(command, options),
    });
    await storage.connect();
    await storage.writeMany([{ key: "no index", bytes, ttl: 60_000 }]);
    expect(await storage.removeMany(["no index"])).toBe(1);
  });

  it("sweeps expired documents, and nothing else", async () => {
    const collection = "swept";
    const storage = made(server().url, { collection, sweepInterval: 20 });
    await storage.connect();
    await storage.writeMany([
      { key: "over", bytes, ttl: 1 },
      { key: "over, but leased", bytes, ttl: 1 },
      { key: "kept", bytes, ttl: 60_000 },
      { key: "for ever", bytes, ttl: undefined },
    ]);
    await until(async () => (await storage.readMany(["over, but leased"]))[0] === undefined);
    await storage.leases?.acquire([
      { key: "over, but leased", duration: 60_000 },
      { key: "lease", duration: 60_000 },
      { key: "lease that is over", duration: 1 },
    ]);
    const ids = async () => (await observed(collection).find().toArray()).map(({ _id }) => _id).sort();
    const left = ["for ever", "kept", "lease", "over, but leased"];
    await until(async () => (await ids()).join() === left.join());
    expect(await ids()).toEqual(left);
  });

  it("leaves documents of other programs in the collection alone, whatever names their fields have", async () => {
    const past = new Date(0);
    const others = [
      { _id: "note", text: "mine", sweepAt: past, at: past, ttl: 1, expires: past, expireAt: past },
      { _id: new ObjectId(), text: "mine too", sweepAt: past, at: past, ttl: 1 },
    ];
    const client = clientOf();
    const collection = client.db("test").collection<{ _id: string | ObjectId }>("shared");
    await collection.insertMany(others);
    const storage = made(server().url, { collection: "shared", sweepInterval: 10 });
    await storage.writeMany([{ key: "over", bytes, ttl: 1 }]);
    await collection.updateOne({ _id: "over" }, { $set: { cachemeSweepAt: past } });
    await until(async () => (await collection.countDocuments({ _id: "over" })) === 0);
    await storage.removeMany(["note"]);
    expect(await collection.countDocuments()).toBe(2);
    expect(await collection.find().toArray()).toEqual(expect.arrayContaining(others));
  });

  it("keeps only the last times of a generation that is bumped often, and its time never goes back", async () => {
    const storage = made(server().url, { collection: "generations" });
    let at = 0;
    for (let bump = 0; bump < 30; bump++) {
      const [generation] = (await storage.generations?.bump(["tag"], 60_000)) ?? [];
      expect(generation?.at).toBeGreaterThanOrEqual(at);
      at = generation?.at ?? 0;
    }
    const [document] = await observed("generations").find().toArray();
    expect(Object.keys(document?.generation?.times ?? {}).length).toBeLessThanOrEqual(9);
  });

  if (flavour("mongodb")?.startsWith("mongo-java-server") === true) {
    noteSkip({
      suite: "MongoDB's own TTL index",
      reason: "Only a real mongod removes documents by it. Put mongod on PATH, or start Docker.",
      absent: true,
    });
  } else {
    it("leaves the removal of expired documents to the server's own TTL index", async () => {
      const collection = observed("ttl");
      const storage = made(server().url, { collection: "ttl", sweepInterval: "1h" });
      await storage.writeMany([{ key: "over", bytes, ttl: 1 }]);
      await collection.updateOne({ _id: "over" }, { $set: { cachemeSweepAt: new Date(0) } });
      await until(async () => (await collection.countDocuments()) === 0);
    }, 90_000);
  }
});

describe("the time of a generation", () => {
  const generation = (times: Record<string, number>, floor?: number): GenerationDocument => ({
    id: "now",
    times: Object.fromEntries(Object.entries(times).map(([id, time]) => [id, new Date(time)])),
    ...(floor === undefined ? {} : { floor: new Date(floor) }),
  });

  it("is the latest time of its predecessors, if the clock was set back", () => {
    expect(generationOf(generation({ before: 100, now: 50 }))).toEqual({ id: "now", at: 100 });
    expect(generationOf(generation({ now: 50 }, 70))).toEqual({ id: "now", at: 70 });
    expect(generationOf(generation({ now: 150 }, 70))).toEqual({ id: "now", at: 150 });
  });
});
