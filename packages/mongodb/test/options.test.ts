import { CachemeError } from "cacheme";
import { MongoClient } from "mongodb";
import { MongoClient as MongoClient6 } from "mongodb-6";
import { describe, expect, it } from "vitest";
import { mongodb } from "../src/index.js";
import { settings } from "../src/options.js";

type Target = Parameters<typeof mongodb>[0];

describe("the label of a storage in MongoDB", () => {
  it.each<[string, Target, string]>([
    ["an address", "mongodb://localhost", "mongodb://localhost:27017/test.cacheme"],
    ["a database", "mongodb://user:secret@10.0.0.7:7000/app", "mongodb://10.0.0.7:7000/app.cacheme"],
    ["a replica set", "mongodb://a:1,b:2/app?replicaSet=r", "mongodb://a:1,b:2/app.cacheme"],
    ["an SRV name", "mongodb+srv://user:secret@db.example/app", "mongodb+srv://db.example/app.cacheme"],
    ["options", { hosts: "a:1", auth: { username: "u", password: "secret" } }, "mongodb://a:1/test.cacheme"],
    ["options with hosts", { hosts: ["a:1", "b:2"], replicaSet: "r" }, "mongodb://a:1,b:2/test.cacheme"],
    ["a client", new MongoClient("mongodb://u:secret@a:1/app"), "mongodb://a:1/app.cacheme"],
    ["a client of driver 6", new MongoClient6("mongodb://a:1/app"), "mongodb://a:1/app.cacheme"],
    ["a Db", new MongoClient("mongodb://u:secret@a:1").db("other"), "mongodb:other.cacheme"],
  ])("given %s", (_, target, label) => {
    expect(mongodb(target).label).toBe(label);
  });

  it("has the database and the collection of the options", () => {
    const options = { database: "app-2", collection: "cache.entries" };
    expect(mongodb("mongodb://localhost/ignored", options).label).toBe(
      "mongodb://localhost:27017/app-2.cache.entries",
    );
  });
});

describe("reads go to the primary even if the client prefers secondaries:", () => {
  const url = "mongodb://localhost/?readPreference=secondaryPreferred";
  it.each([
    ["an address", url],
    ["a client", new MongoClient(url)],
    ["a client of driver 6", new MongoClient6(url)],
  ])("given %s", (_, target) => {
    const { find, given } = settings(target, {});
    const place = given ?? find(new MongoClient(url));
    expect(place.collection).toMatchObject({ readPreference: { mode: "primary" } });
  });

  it("given a Db", () => {
    const { given } = settings(new MongoClient(url).db("test"), {});
    expect(given?.collection).toMatchObject({ readPreference: { mode: "primary" } });
  });
});

describe("an invalid target or option is refused at once:", () => {
  const url = "mongodb://localhost";
  it.each<[string, () => unknown, string, RegExp]>([
    [
      "an address without acknowledged writes",
      () => mongodb("mongodb://localhost/?w=0"),
      "CACHEME_INVALID_OPTION",
      /write concern 0/,
    ],
    [
      "options without acknowledged writes",
      () => mongodb({ hosts: "a:1", writeConcern: { w: 0 } }),
      "CACHEME_INVALID_OPTION",
      /write concern 0/,
    ],
    [
      "a client without acknowledged writes",
      () => mongodb(new MongoClient6(url, { writeConcern: { w: 0 } })),
      "CACHEME_INVALID_OPTION",
      /write concern 0/,
    ],
    [
      "a Db without acknowledged writes",
      () => mongodb(new MongoClient(url).db("test", { writeConcern: { w: 0 } })),
      "CACHEME_INVALID_OPTION",
      /write concern 0/,
    ],
    [
      "a string that is not an address",
      () => mongodb("localhost"),
      "CACHEME_INVALID_OPTION",
      /is not|does not take/,
    ],
    [
      "an address of another database",
      () => mongodb("redis://localhost"),
      "CACHEME_INVALID_OPTION",
      /mongodb:\/\//,
    ],
    [
      "an address that the driver refuses",
      () => mongodb("mongodb://u:secret@"),
      "CACHEME_INVALID_OPTION",
      /address/,
    ],
    ["an option in an address", () => mongodb(`${url}/?nonsense=1`), "CACHEME_INVALID_OPTION", /nonsense/],
    [
      "an unknown option of the driver",
      () => mongodb({ hosts: "a:1", nonsense: 1 } as unknown as Target),
      "CACHEME_INVALID_OPTION",
      /nonsense/,
    ],
    [
      "a managed option of the driver",
      () => mongodb({ hosts: "a:1", socketTimeoutMS: 1 } as unknown as Target),
      "CACHEME_INVALID_OPTION",
      /socketTimeoutMS.*commandTimeout/,
    ],
    ["no hosts", () => mongodb({} as Target), "CACHEME_INVALID_OPTION", /hosts/],
    ["an empty list of hosts", () => mongodb({ hosts: [] }), "CACHEME_INVALID_OPTION", /hosts/],
    ["hosts with a name in them", () => mongodb({ hosts: "u:secret@a" }), "CACHEME_INVALID_OPTION", /hosts/],
    ["no target", () => mongodb(null as unknown as Target), "CACHEME_INVALID_OPTION", /null/],
    [
      "an unknown option",
      () => mongodb(url, { table: "a" } as object),
      "CACHEME_INVALID_OPTION",
      /has no option "table"/,
    ],
    ["no options", () => mongodb(url, null as never), "CACHEME_INVALID_OPTION", /null/],
    ["a wrong connect", () => mongodb(url, { connect: "now" as never }), "CACHEME_INVALID_OPTION", /"now"/],
    [
      "a wrong duration",
      () => mongodb(url, { commandTimeout: "soon" as never }),
      "CACHEME_INVALID_DURATION",
      /soon/,
    ],
    [
      "a sweep without pause",
      () => mongodb(url, { sweepInterval: 0 }),
      "CACHEME_INVALID_DURATION",
      /sweepInterval/,
    ],
    ["a bound of no records", () => mongodb(url, { maxSize: 0 }), "CACHEME_INVALID_OPTION", /maxSize/],
    ["a database with a dot", () => mongodb(url, { database: "a.b" }), "CACHEME_INVALID_OPTION", /"a\.b"/],
    [
      "a database with a dollar in an address",
      () => mongodb(`${url}/a%24b`),
      "CACHEME_INVALID_OPTION",
      /database|address/,
    ],
    [
      "a collection with a dollar",
      () => mongodb(url, { collection: "a$b" }),
      "CACHEME_INVALID_OPTION",
      /"a\$b"/,
    ],
    [
      "a collection of the system",
      () => mongodb(url, { collection: "system.a" }),
      "CACHEME_INVALID_OPTION",
      /system/,
    ],
    ["no collection", () => mongodb(url, { collection: "" }), "CACHEME_INVALID_OPTION", /collection/],
    [
      "a Db and a database",
      () => mongodb(new MongoClient(url).db("a"), { database: "b" }),
      "CACHEME_INVALID_OPTION",
      /one of the two/,
    ],
  ])("%s", (_, make, code, message) => {
    let thrown: unknown;
    try {
      make();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CachemeError);
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(String(thrown)).not.toContain("secret");
  });
});
