import { MongoClient } from "mongodb";
import { beforeAll, describe, expect, it } from "vitest";
import { flavour } from "../src/run/service.js";
import { catalogue } from "../src/services/catalogue.js";
import { describeWithServer } from "../src/vitest.js";

describeWithServer("mongodb", "a server of MongoDB", (mongodb) => {
  const use = async <T>(work: (client: MongoClient) => Promise<T>): Promise<T> => {
    const client = new MongoClient(mongodb().url, { serverSelectionTimeoutMS: 5000 });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  };

  it("accepts the current driver", async () => {
    const document = { _id: "key" as never, value: 42 };
    const found = await use(async (client) => {
      const collection = client.db("cacheme").collection("accepted");
      await collection.insertOne(document);
      return collection.findOne({ _id: "key" as never });
    });
    expect(found).toEqual(document);
  });

  describe("that is killed", () => {
    beforeAll(async () => {
      await use(async (client) => {
        const writeConcern = { journal: true }; // mongod writes its journal a little later otherwise.
        await client.db("cacheme").collection("kept").insertOne({ name: "early" }, { writeConcern });
      });
      await mongodb().restart();
    });

    it("keeps its data", async () => {
      const count = await use((client) =>
        client.db("cacheme").collection("kept").countDocuments({ name: "early" }),
      );
      expect(count).toBe(1);
    });
  });

  it("reports its flavour, even before it is started", () => {
    const known = ["mongod", catalogue.mongodb.substitute?.title, catalogue.mongodb.container?.image];
    expect(known).toContain(mongodb().flavour);
    if (process.env.MONGODB_URL === undefined) expect(flavour("mongodb")).toBe(mongodb().flavour);
  });
});
