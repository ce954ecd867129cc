import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import {
  CachemeError,
  ConfigurationError,
  type Duration,
  KeyError,
  type LoadAll,
  type LoadContext,
  LoadError,
  memory,
  Node,
  type NodeMeta,
  SerializationError,
  v8,
} from "../src/index.js";
import { bareNode } from "./support/bare-node.js";
import { reason, thrownBy } from "./support/reason.js";
import { countingNode, localOnly, NumberedNode, remoteOnly, space, twoTiers } from "./support/space.js";

/** Makes a class whose nodes have this key. */
function keyed(key: unknown) {
  class Keyed extends Node<string> {
    static override meta: NodeMeta = { name: "keyed", caches: twoTiers };
    key() {
      return key as string;
    }
    override load() {
      return "value";
    }
  }
  return new Keyed();
}

describe("a storage that is not registered", () => {
  it("is named, with the registered ones", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode(
      { name: "user", caches: [{ storage: "redsi", ttl: "1m" }] },
      (id) => id,
    );
    const error = await reason(cacheme.get(new Counting(1)));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      code: "CACHEME_UNKNOWN_STORAGE",
      node: "user",
      storage: "redsi",
      message: expect.stringMatching(/"user".*"redsi".*"local", "remote".*registerStorage\("redsi"/),
    });
    expect(loads).toEqual([]);
  });

  it("can be registered after the refusal, and the node then works", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: [{ storage: "late" }] }, (id) => id);
    await reason(cacheme.get(new Counting(1)));
    await cacheme.registerStorage("late", memory());
    expect(await cacheme.get(new Counting(1))).toBe(1);
  });
});

describe("an invalid duration", () => {
  const wrong = [
    0,
    -1,
    0.4,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "0s",
    "-5s",
    "5 s",
    "5",
    "",
    "5w",
    "s",
    null,
    {},
    5n,
  ];

  it.each(wrong)("is refused as the ttl of a tier: %s", async (ttl) => {
    const { cacheme } = await space();
    const caches = [{ storage: "local", ttl: ttl as Duration }];
    const { Counting, loads } = countingNode({ name: "user", caches }, (id) => id);
    const error = await reason(cacheme.get(new Counting(1)));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      code: "CACHEME_INVALID_DURATION",
      message: expect.stringMatching(/ttl of storage "local" in node "user" is .*"30s"/),
    });
    expect(loads).toEqual([]);
  });

  it.each(wrong)("is refused as the ttl of a set, and the old value stays: %s", async (ttl) => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ name: "user", caches: twoTiers }, (id) => id);
    await cacheme.set(new Counting(1), 7);
    expect(await reason(cacheme.set(new Counting(1), 8, { ttl: ttl as Duration }))).toMatchObject({
      code: "CACHEME_INVALID_DURATION",
      message: expect.stringMatching(/ttl of set\(user:1, …\)/),
    });
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe(7);
  });

  it.each(wrong)("is refused as the maxAge of a read: %s", async (maxAge) => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ name: "user", caches: localOnly }, (id) => id);
    const options = { maxAge: maxAge as Duration };
    const refused = {
      code: "CACHEME_INVALID_DURATION",
      message: expect.stringMatching(/maxAge of a read of user:1/),
    };
    expect(await reason(cacheme.get(new Counting(1), options))).toMatchObject(refused);
    expect(await reason(cacheme.getAll([new Counting(1)], options))).toMatchObject(refused);
  });

  it.each(wrong)("is refused as a loadTimeout: %s", async (loadTimeout) => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ name: "user", loadTimeout: loadTimeout as Duration }, (id) => id);
    expect(await reason(cacheme.get(new Counting(1)))).toMatchObject({
      code: "CACHEME_INVALID_DURATION",
      message: expect.stringMatching(/loadTimeout of node "user"/),
    });
  });

  it.each(wrong)("is refused as the ttl that a load sets, and fails the load: %s", async (ttl) => {
    const { cacheme } = await space();
    class Dynamic extends Node<number> {
      static override meta: NodeMeta = { name: "dynamic", caches: localOnly };
      key() {
        return "k";
      }
      override load(context: LoadContext<number>) {
        context.ttl(ttl as Duration);
        return 1;
      }
    }
    const refused = {
      code: "CACHEME_INVALID_DURATION",
      message: expect.stringMatching(/ttl given in the load of dynamic:k/),
    };
    expect(await reason(cacheme.get(new Dynamic()))).toMatchObject(refused);
    expect(thrownBy(() => cacheme.getSync(new Dynamic()))).toMatchObject(refused);
    expect(cacheme.peekLocal(new Dynamic())).toBeUndefined();
  });
});

describe("a key that cannot name an entry", () => {
  const wrong = [
    ["an empty string", "", /returned an empty string/],
    ["a number", 5, /returned a number/],
    ["undefined", undefined, /returned undefined/],
    ["null", null, /returned null/],
    ["an object", { id: 1 }, /returned an object/],
    ["a list", ["a"], /returned an object/],
    ["a string with a line feed", "a\nb", /control character/],
    ["a string with a NUL", "a\0", /control character/],
    ["a string with half a surrogate pair", "a\ud800", /half a surrogate pair/],
  ] as const;

  it.each(wrong)("is refused everywhere: %s", async (_, key, message) => {
    const { cacheme, remote } = await space();
    const node = keyed(key);
    const refused = {
      code: "CACHEME_INVALID_KEY",
      node: "keyed",
      ...(typeof key === "string" ? { key } : {}),
      message: expect.stringMatching(message),
    };
    for (const promise of [
      cacheme.get(node),
      cacheme.get(node, { maxAge: "1s" }),
      cacheme.getAll([node]),
      cacheme.peek(node),
      cacheme.set(node, "x"),
      cacheme.setAll([[node, "x"]]),
      cacheme.invalidate(node),
      cacheme.refresh(node),
    ]) {
      const error = await reason(promise);
      expect(error).toBeInstanceOf(KeyError);
      expect(error).toMatchObject(refused);
      expect((error as Error).message).toMatch(/key\(\) of node "keyed".*Return a string/);
    }
    expect(thrownBy(() => cacheme.peekLocal(node))).toMatchObject(refused);
    expect(thrownBy(() => cacheme.getSync(node))).toMatchObject(refused);
    expect(remote.calls).toEqual([]);
  });

  it("only fails its own place of a getAllSettled", async () => {
    const { cacheme } = await space();
    const good = new (countingNode({ caches: localOnly }, (id) => id).Counting)(1);
    expect(await cacheme.getAllSettled([good, keyed("")])).toMatchObject([
      { status: "fulfilled", value: 1 },
      { status: "rejected", reason: { code: "CACHEME_INVALID_KEY" } },
    ]);
  });

  it("keeps invalidate from removing any of its nodes", async () => {
    const { cacheme } = await space();
    const good = new (countingNode({ caches: localOnly }, (id) => id).Counting)(1);
    await cacheme.set(good, 7);
    await reason(cacheme.invalidate(good, keyed("")));
    expect(cacheme.peekLocal(good)?.value).toBe(7);
  });

  it("passes on the error that key() throws", async () => {
    const { cacheme } = await space();
    class Throwing extends Node<number> {
      static override meta: NodeMeta = { caches: localOnly };
      key(): string {
        throw new Error("no id yet");
      }
    }
    for (const promise of [cacheme.get(new Throwing()), cacheme.getAll([new Throwing()])]) {
      expect(await reason(promise)).toEqual(new Error("no id yet"));
    }
  });
});

describe("an impossible load", () => {
  it("is an error of its own if neither the node nor the reader has a load", async () => {
    const { cacheme } = await space();
    const Bare = bareNode({ caches: twoTiers });
    const refused = { code: "CACHEME_NO_LOAD", node: "bare", key: "k" };
    const error = await reason(cacheme.get(new Bare()));
    expect(error).toBeInstanceOf(LoadError);
    expect(error).toMatchObject({
      ...refused,
      message: expect.stringMatching(/bare:k .*get\(node, \{ load \}\).*peek/),
    });
    expect(await reason(cacheme.refresh(new Bare()))).toMatchObject(refused);
    class BareLocal extends Node<string> {
      static override meta: NodeMeta = { name: "bare-local", caches: localOnly };
      key() {
        return "k";
      }
    }
    expect(thrownBy(() => cacheme.getSync(new BareLocal() as never))).toMatchObject({
      code: "CACHEME_NO_LOAD",
      node: "bare-local",
      key: "k",
      message: expect.stringMatching(/bare-local:k .*getSync\(node, \{ load \}\)/),
    });
    await cacheme.set(new Bare(), "set");
    expect(await cacheme.get(new Bare())).toBe("set");
  });

  it.each([
    ["a shorter list", [1], "a list of 1"],
    ["a longer list", [1, 2, 3], "a list of 3"],
    ["null", null, "null"],
    ["a Map", new Map(), "an object"],
    ["nothing", undefined, "undefined"],
  ])("is refused if loadAll answers with %s, and nothing is stored", async (_, answer, got) => {
    const { cacheme, remote } = await space();
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", caches: twoTiers };
      static override loadAll: LoadAll<Bulk> = async () => answer as never;
    }
    const error = await reason(cacheme.getAll([new Bulk(1), new Bulk(2)]));
    expect(error).toBeInstanceOf(LoadError);
    expect(error).toMatchObject({
      code: "CACHEME_LOAD_SHAPE",
      node: "bulk",
      key: "1",
      message: expect.stringMatching(
        new RegExp(`"bulk" must return a list of 2, got (${got})\\..*in the nodes' order`),
      ),
    });
    expect(remote.records.size).toBe(0);
  });
});

describe("a value that the serializer cannot carry", () => {
  it("is refused by set with the path, and the old value stays in every tier", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode<unknown>({ name: "user", caches: twoTiers }, (id) => id);
    await cacheme.set(new Counting(1), "old");
    const error = await reason(cacheme.set(new Counting(1), { orders: [{ total: 1 }, { total: () => 7 }] }));
    expect(error).toBeInstanceOf(SerializationError);
    expect(error).toMatchObject({
      code: "CACHEME_NOT_SERIALIZABLE",
      node: "user",
      key: "1",
      path: "$.orders[1].total",
      message: expect.stringMatching(/user:1 .*\$\.orders\[1\]\.total.*Return plain data/),
    });
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe("old");
    clock.advance(60_000); // Now the remote tier answers.
    expect((await cacheme.peek(new Counting(1)))?.value).toBe("old");
  });

  it("names the serializers that can carry it", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode<unknown>({ caches: remoteOnly, serializer: v8() }, (id) => id);
    expect(await reason(cacheme.set(new Counting(1), { a: Object.create(null) }))).toMatchObject({
      path: "$.a",
      message: expect.stringMatching(/msgpack\(\) can/),
    });
  });

  it("only fails its own node of a setAll, and the others are stored", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode<unknown>({ caches: twoTiers }, (id) => id);
    const entries = [1, 2, 3].map((id) => [new Counting(id), id === 2 ? Symbol("no") : id] as const);
    expect(await reason(cacheme.setAll(entries))).toMatchObject({
      code: "CACHEME_NOT_SERIALIZABLE",
      key: "2",
      path: "$",
    });
    expect([1, 2, 3].map((id) => cacheme.peekLocal(new Counting(id))?.value)).toEqual([1, undefined, 3]);
  });
});

describe("an error", () => {
  it("shows its known details in a log, and no unknown ones", () => {
    const logged = inspect(
      new ConfigurationError("CACHEME_INVALID_OPTION", "No such option.", { storage: "redis" }),
    );
    expect(logged).toMatch(/code: 'CACHEME_INVALID_OPTION'/);
    expect(logged).toMatch(/storage: 'redis'/);
    expect(logged).not.toMatch(/undefined/);
  });
});

describe("a storage's name", () => {
  it("cannot be registered twice, and the first storage stays", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    await cacheme.get(new Counting(1));
    const error = await reason(cacheme.registerStorage("local", memory({ maxSize: 5 })));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      code: "CACHEME_DUPLICATE_STORAGE",
      storage: "local",
      message: expect.stringMatching(
        /"local" is registered already, as memory \(10,000 entries\)\. Give.*another name.*replace: true/,
      ),
    });
    expect(cacheme.peekLocal(new Counting(1))?.value).toBe(1);
  });

  it.each(["", undefined, 5])("cannot be %o", async (name) => {
    const { cacheme } = await space();
    expect(await reason(cacheme.registerStorage(name as string, memory()))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });

  it.each([undefined, null, {}, () => memory()])("cannot be given to %o", async (storage) => {
    const { cacheme } = await space();
    expect(await reason(cacheme.registerStorage("new", storage as never))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      storage: "new",
      message: expect.stringMatching(/registerStorage\("new", …\) expected a storage or an address/),
    });
  });
});

describe("a wrong meta", () => {
  it.each<[string, unknown, RegExp]>([
    ["a string", "local", /is not an object/],
    ["an unknown option", { tll: "5s" }, /unknown option "tll".*caches/],
    ["a name with a colon", { name: "a:b" }, /name "a:b".*no colon/],
    ["an empty name", { name: "" }, /name "".*1 to 60 bytes/],
    ["a version with a space", { version: "1 beta" }, /version "1 beta"/],
    ["caches that are not a list", { caches: { storage: "local" } }, /not a list/],
    ["a cache without a storage", { caches: [{ ttl: "5s" }] }, /without the name of a storage/],
    ["a cache that is a string", { caches: ["local"] }, /without the name of a storage/],
    ["a cache with an unknown option", { caches: [{ storage: "local", tll: "5s" }] }, /unknown option "tll"/],
    ["one storage twice", { caches: [{ storage: "local" }, { storage: "local" }] }, /"local" twice/],
    ["a concurrency of 0", { concurrency: 0 }, /concurrency: 0/],
    ["a maxBatchSize that is not a whole number", { maxBatchSize: 1.5 }, /maxBatchSize: 1.5/],
    ["a serializer that was not called", { serializer: v8 }, /serializer/],
  ])("is refused with advice: %s", async (_, meta, message) => {
    const { cacheme } = await space();
    class Wrong extends Node<number> {
      key() {
        return "k";
      }
      override load() {
        return 1;
      }
    }
    Object.defineProperty(Wrong, "meta", { value: meta });
    const error = await reason(cacheme.get(new Wrong()));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: "CACHEME_INVALID_META", message: expect.stringMatching(message) });
  });

  it("is refused with an invalid doorkeeper", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ name: "user", doorkeeper: { size: 0 } }, (id) => id);
    expect(await reason(cacheme.get(new Counting(1)))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringMatching(/size of doorkeeper in node "user" is 0/),
    });
  });

  it("is refused with a loadAll that is not a function", async () => {
    const { cacheme } = await space();
    class Wrong extends Node<number> {
      static override meta: NodeMeta = { name: "wrong" };
      key() {
        return "k";
      }
    }
    Object.defineProperty(Wrong, "loadAll", { value: [] });
    expect(await reason(cacheme.get(new Wrong()))).toMatchObject({
      code: "CACHEME_INVALID_NODE",
      node: "wrong",
      message: expect.stringMatching(/loadAll of node class "wrong"/),
    });
  });
});

describe("something that is not a node", () => {
  it.each([undefined, null, 5, "user:1", {}, { key: "k" }, Node])("is refused: %o", async (wrong) => {
    const { cacheme } = await space();
    for (const promise of [
      cacheme.get(wrong as never),
      cacheme.set(wrong as never, 1 as never),
      cacheme.invalidate(wrong as never),
    ]) {
      expect(await reason(promise)).toMatchObject({
        code: "CACHEME_INVALID_NODE",
        message: expect.stringMatching(/Expected a node, got.*extends Node/),
      });
    }
  });
});

describe("a prefix", () => {
  it.each(["", "a b", "a\n", "x".repeat(101), undefined, 5])("cannot be %o", async (prefix) => {
    const { cacheme } = await space();
    expect(thrownBy(() => cacheme.setPrefix(prefix as string))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });

  it("cannot be changed once a node class is in use, unless to itself", async () => {
    const { cacheme } = await space();
    await cacheme.get(new (countingNode({ name: "user", caches: localOnly }, (id) => id).Counting)(1));
    cacheme.setPrefix("cacheme");
    expect(thrownBy(() => cacheme.setPrefix("shop"))).toMatchObject({
      code: "CACHEME_PREFIX_IN_USE",
      message: expect.stringMatching(/"shop".*"user".*"cacheme".*before the first read/),
    });
  });
});

describe("every error", () => {
  it("is a CachemeError with the name of its class, and keeps its cause", async () => {
    const { cacheme, remote } = await space();
    const gone = new Error("gone");
    remote.gate = () => Promise.reject(gone);
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const error = await reason(cacheme.set(new Counting(1), 1));
    expect(error).toBeInstanceOf(CachemeError);
    expect(error).toMatchObject({ name: "IncompleteError", cause: gone });
    expect(String(error)).toMatch(/^IncompleteError: /);
  });
});
