import { mongodb as storage } from "@cacheme/mongodb";
import { server } from "@cacheme/test-services";
import { MongoClient } from "mongodb";
import type { StorageSubject } from "./subject.js";

interface BareDocument {
  readonly _id: string;
  readonly bytes: Uint8Array;
  readonly at: Date;
  readonly ttl: number;
}

/**
 * The minimum that keeps a ttl: one `find` for many keys that skips records expired on the server's
 * clock, and an unordered `bulkWrite` of upserts with that clock's time. Bytes come without the
 * driver's wrapper.
 */
export const mongodb: StorageSubject = {
  name: "mongodb",
  async start() {
    const running = await server("mongodb");
    const client = await MongoClient.connect(running.url);
    const documents = client.db("test").collection<BareDocument>("bare");
    await documents.createIndex({ at: 1 });
    return {
      storage: storage(running.url, { commandTimeout: "10s" }),
      bare: {
        readMany: async (keys) => {
          const options = {
            projection: { bytes: 1 as const },
            promoteBuffers: true,
            batchSize: keys.length + 1,
          };
          const filter = { _id: { $in: [...keys] }, $expr: { $lt: ["$$NOW", { $add: ["$at", "$ttl"] }] } };
          const found = await documents.find(filter, options).toArray();
          const values = new Map(found.map(({ _id, bytes }) => [_id, bytes]));
          return keys.map((key) => values.get(key));
        },
        writeMany: (records) =>
          documents.bulkWrite(
            records.map(({ key, bytes, ttl }) => ({
              updateOne: {
                filter: { _id: key },
                update: { $set: { bytes, ttl }, $currentDate: { at: true as const } },
                upsert: true,
              },
            })),
            { ordered: false },
          ),
      },
      stop: async () => {
        await client.close();
        await running.stop();
      },
    };
  },
};
