import { testAddresses } from "@cacheme/test-services/network/address-tests";
import { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import { describe, expect, it, onTestFinished } from "vitest";
import { glide } from "../src/index.js";
import { settings } from "../src/options.js";

/** The options of a client that never connects. */
const nowhere = () => ({ addresses: [{ host: "127.0.0.1", port: 1 }], lazyConnect: true });

describe("the address", () => {
  testAddresses(glide, {
    labels: [
      ["glide://localhost", "glide://localhost:6379"],
      ["GLIDE://10.0.0.7:7000/3", "glide://10.0.0.7:7000/3"],
      ["glides://user:secret@cache.example:6380", "glides://cache.example:6380"],
      ["glide+cluster://one,[::1]:7000", "glide+cluster://one:6379,[::1]:7000"],
      ["glides+cluster://:secret@one", "glides+cluster://one:6379"],
    ],
    refused: [
      "redis://:secret@localhost",
      "glide://",
      // Two servers that are no cluster.
      "glide://:secret@one,two",
      "glide://:secret@one/two",
      "glide://one/1/2",
      "glide://one?keyPrefix=secret",
    ],
    words: "glide://host:6379",
  });

  it("includes the account, the database and encryption", () => {
    expect(settings("glides://user:p%40ss@cache.example/2", {}).target).toEqual({
      addresses: [{ host: "cache.example", port: 6379 }],
      cluster: false,
      credentials: { username: "user", password: "p@ss" },
      databaseId: 2,
      useTLS: true,
    });
  });
});

describe("a client of the program", () => {
  it("gives a label without its address", async () => {
    const one = await GlideClient.createClient(nowhere());
    onTestFinished(() => one.close());
    const cluster = await GlideClusterClient.createClient(nowhere());
    onTestFinished(() => cluster.close());
    expect([glide(one).label, glide(cluster).label]).toEqual([
      "glide://(the program's own client)",
      "glide+cluster://(the program's own client)",
    ]);
  });

  it.each([undefined, 7, {}, { addresses: [] }])("is not %j", (target) => {
    expect(() => glide(target as never)).toThrow(
      expect.objectContaining({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringContaining("a client of GLIDE"),
      }),
    );
  });
});

describe("the options", () => {
  it("have defaults", () => {
    expect(settings("glide://localhost", {})).toMatchObject({
      connect: "eager",
      commandTimeout: 1000,
      connectTimeout: 2000,
    });
  });

  it.each([
    ["commandTimeout", "5 s", "CACHEME_INVALID_DURATION"],
    ["connect", "soon", "CACHEME_INVALID_OPTION"],
    ["requestTimeout", 250, "CACHEME_INVALID_OPTION"],
  ])("refuse %s: %j", (name, value, code) => {
    expect(() => glide("glide://localhost", { [name]: value })).toThrow(expect.objectContaining({ code }));
  });
});
