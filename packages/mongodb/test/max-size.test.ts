import { cleanup, until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme/driver";
import { type Document, MongoClient } from "mongodb";
import { expect, it } from "vitest";
import { type MongodbStorageOptions, mongodb } from "../src/index.js";

const minute = 60_000;
/** Keys in the order of their numbers. */
const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `${10_000 + index}`);
const record = (key: string) => ({ key, bytes: Buffer.from("value"), ttl: minute });

describeWithServer("mongodb", "maxSize", (server) => {
  const { closing } = cleanup();
  const database = () => closing(new MongoClient(server().url)).db("test");

  async function connected(
    target: Parameters<typeof mongodb>[0],
    options: MongodbStorageOptions,
  ): Promise<RemoteStorage> {
    // A server in Java takes its time over its first calls.
    const storage = mongodb(target, {
      commandTimeout: "20s",
      connectTimeout: "20s",
      sweepInterval: 5,
      ...options,
    });
    await closing(storage).connect();
    return storage;
  }

  it("removes the records that were written first, but no running lease and no document of other programs", async () => {
    const documents = database().collection<{ _id: string } & Document>("bounded");
    const left = async () => (await documents.distinct("_id")).sort();
    const past = new Date(0);
    await documents.insertOne({ _id: "theirs", at: new Date(1), ttl: 1, sweepAt: past });
    const storage = await connected(server().url, { collection: "bounded", maxSize: 100 });
    const keys = keysOf(300);
    for (let at = 0; at < 300; at += 50) {
      await storage.writeMany(keys.slice(at, at + 50).map(record));
      if (at === 0) await storage.leases?.acquire([{ key: "10020", duration: minute, steal: true }]);
    }
    await storage.writeMany([record("10005")]);
    await storage.generations?.bump(["tag"], minute);
    await until(async () => (await left()).length <= 102);
    expect(await left()).toEqual(["10020", "10005", "tag", "theirs", ...keys.slice(202)].sort());
  });

  it("removes a part of a batch, in several steps and from several processes at once", async () => {
    const documents = database().collection<{ _id: string } & Document>("crowd");
    const [at, ttl] = [new Date(), minute];
    const keys = keysOf(1050);
    await documents.insertMany(
      keys.map((_id) => ({ _id, at, ttl, freshFor: ttl, cachemeSweepAt: new Date(2 * +at) })),
    );
    // A server in Java has no time for more sweeps.
    const options = { collection: "crowd", maxSize: 50, sweepInterval: 50 };
    await Promise.all([1, 2].map(() => connected(server().url, options)));
    await until(async () => (await documents.countDocuments()) <= 50);
    const left = (await documents.distinct("_id")).sort();
    expect(left).toEqual(keys.slice(-left.length));
    // The trial of each storage has three records for a moment, which count as newer ones.
    expect(left.length).toBeGreaterThanOrEqual(50 - 2 * 3);
  });

  it("needs an index: a server that refuses it is refused, unless there is one", async () => {
    const db = database();
    const refusal = Object.assign(new Error("not allowed"), { name: "MongoServerError", code: 13 });
    const guarded: Parameters<typeof mongodb>[0] = {
      databaseName: "test",
      collection: (name) => db.collection(name),
      command: (command, options) =>
        "createIndexes" in command ? Promise.reject(refusal) : db.command(command, options),
    };
    const options = { collection: "guarded", maxSize: 10 };
    await expect(connected(guarded, options)).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringMatching(/no index for maxSize\. Grant the user createIndex.*"cachemeSweepAt":1/),
    });
    await connected(server().url, options);
    await connected(guarded, options);
  });
});
