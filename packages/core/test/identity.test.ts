import { afterEach, describe, expect, it, vi } from "vitest";
import {
  Cacheme,
  defineNode,
  json,
  type LoadContext,
  memory,
  msgpack,
  Node,
  type NodeMeta,
} from "../src/index.js";
import { deferred, settled } from "./support/deferred.js";
import { reason } from "./support/reason.js";
import { localOnly, NumberedNode, remoteOnly, space, twoTiers } from "./support/space.js";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Records the process warnings from now on. */
function warnings() {
  return vi.spyOn(process, "emitWarning").mockImplementation(() => {});
}

/**
 * Defines one source with another database each time, as dependency injection, a test and a module
 * graph do.
 */
const nodesOf = (database: string) =>
  defineNode({
    name: "row",
    caches: twoTiers,
    key: (id: number) => `${id}`,
    load: (id) => `${database} ${id}`,
  });

/** Does the same with a class. */
const classOf = (database: string) =>
  class Row extends NumberedNode<string> {
    static override meta: NodeMeta = { name: "row", caches: twoTiers };
    override load() {
      return `${database} ${this.id}`;
    }
  };

describe("a definition", () => {
  it("is itself: two spaces each load by the one that they use", async () => {
    const [a, b] = [nodesOf("a"), nodesOf("b")];
    const [one, two] = [(await space()).cacheme, (await space()).cacheme];
    expect(await one.get(a(1))).toBe("a 1");
    expect(await two.get(b(1))).toBe("b 1");
  });

  it("is itself if two loads come from one helper", async () => {
    const [one, two] = [new Cacheme(), new Cacheme()];
    const loaderOf = (database: string) => (id: number) => `${database} ${id}`;
    const define = (database: string) =>
      defineNode({ name: "helped", key: (id: number) => `${id}`, load: loaderOf(database) });
    expect([await one.get(define("a")(1)), await two.get(define("b")(1))]).toEqual(["a 1", "b 1"]);
  });
});

describe("one source that was evaluated twice", () => {
  it.each<[string, (database: string) => (id: number) => Node<string>]>([
    ["a definition", nodesOf],
    [
      "a class",
      (database) => {
        const Row = classOf(database);
        return (id) => new Row(id);
      },
    ],
  ])("shares entries and flights, and each loads with its own functions: %s", async (_, make) => {
    const { cacheme } = await space();
    const warned = warnings();
    const [a, b] = [make("a"), make("b")];
    expect(await cacheme.get(a(1))).toBe("a 1");
    expect(await cacheme.get(b(1))).toBe("a 1");
    expect(await cacheme.get(b(2))).toBe("b 2");
    expect(await Promise.all([cacheme.get(a(3)), cacheme.get(b(3))])).toEqual(["a 3", "a 3"]);
    await cacheme.invalidate(b(1));
    expect(await cacheme.get(b(1))).toBe("b 1");
    expect(cacheme.nodes().map(({ name }) => name)).toEqual(["row"]);
    expect(cacheme.stats((a(1) as { constructor: unknown }).constructor as never).loadCount).toBe(4);
    expect(cacheme.stats((b(1) as { constructor: unknown }).constructor as never).loadCount).toBe(4);
    expect(warned).not.toHaveBeenCalled();
  });

  it("loads in one go by the functions of each class", async () => {
    const { cacheme } = await space();
    const calls: string[] = [];
    const make = (database: string) =>
      defineNode({
        name: "bulk",
        caches: localOnly,
        key: (id: number) => `${id}`,
        loadAll: (ids: readonly number[]) => {
          calls.push(`${database} ${ids}`);
          return ids.map((id) => `${database} ${id}`);
        },
      });
    const [a, b] = [make("a"), make("b")];
    expect(await cacheme.getAll([a(1), b(2), a(3), b(1)])).toEqual(["a 1", "b 2", "a 3", "a 1"]);
    expect(calls).toEqual(["a 1,3", "b 2"]);
  });

  it("is one kind for the limit of concurrent loads, and for a load that reads itself", async () => {
    const { cacheme } = await space();
    const [loading, running] = [deferred<void>(), { now: 0, most: 0 }];
    const make = () =>
      defineNode({
        name: "limited",
        caches: localOnly,
        concurrency: 1,
        key: (id: number) => `${id}`,
        load: async () => {
          running.most = Math.max(running.most, ++running.now);
          await loading.promise;
          running.now--;
          return 1;
        },
      });
    const reads = [cacheme.get(make()(1)), cacheme.get(make()(2))];
    await settled();
    loading.resolve();
    await Promise.all(reads);
    expect(running.most).toBe(1);
    const makeSelfish = () =>
      class Selfish extends Node<number> {
        static override meta: NodeMeta = { name: "selfish", caches: localOnly };
        key() {
          return "k";
        }
        override load({ get }: LoadContext<number>): Promise<number> {
          return get(new (makeSelfish())(), { fresh: true });
        }
      };
    expect(await reason(cacheme.get(new (makeSelfish())()))).toMatchObject({ code: "CACHEME_LOAD_CYCLE" });
  });

  it("is recognized even if a bundler names its imports differently", async () => {
    vi.stubEnv("NODE_ENV", "production");
    const cacheme = new Cacheme();
    const make = (name: string, parameter: string, imported: string, key = "a b") =>
      new Function(
        "Node",
        "db",
        `return class ${name} extends Node{static meta={name:"u"};key(){return\`${key}\`}` +
          `load(${parameter}){const ${imported}=db;return ${imported}.user(\`\${${imported}.x}\`)}}`,
      )(Node, { user: (id: string) => `user ${id}` }) as new () => Node;
    const [first, again, other] = [make("e", "t", "r"), make("n", "e", "i"), make("n", "e", "i", "a c")];
    await cacheme.get(new first());
    expect(await cacheme.get(new again())).toBe("user undefined");
    expect(await reason(cacheme.get(new other()))).toMatchObject({ code: "CACHEME_DUPLICATE_NODE" });
  });

  it("does not grow with each definition of it", async () => {
    const cacheme = new Cacheme();
    for (let i = 0; i < 300; i++) await cacheme.get(nodesOf2(i)(i % 3));
    expect(cacheme.nodes()).toHaveLength(1);
  });
});

const nodesOf2 = (i: number) => defineNode({ name: "again", key: (id: number) => `${id}`, load: () => i });

describe("a second class of a name with another source", () => {
  const base = {
    name: "user",
    key: (id: number) => `${id}`,
    load: () => "old",
    caches: localOnly,
    version: 1,
  };

  it.each<[string, object]>([
    ["another load", { load: () => "new" }],
    ["another key", { key: (id: number) => String(id), load: () => "new" }],
    ["another version", { version: 2, load: () => "new" }],
    ["other caches", { caches: twoTiers, load: () => "new" }],
    ["another ttl", { caches: [{ storage: "local", ttl: "2m" }], load: () => "new" }],
    ["another serializer", { serializer: msgpack(), load: () => "new" }],
    ["an option more", { concurrency: 2, load: () => "new" }],
  ])("takes over and drops the old one's entries: %s", async (_, change) => {
    const { cacheme } = await space();
    const warned = warnings();
    const [older, newer] = [defineNode({ ...base, serializer: json() }), defineNode({ ...base, ...change })];
    await cacheme.get(older(1));
    expect(await cacheme.get(newer(1))).toBe("new");
    // The older class now uses the newer one's entries.
    expect(await cacheme.get(older(1))).toBe("new");
    await cacheme.invalidate(newer(1));
    expect(await cacheme.get(older(1))).toBe("old");
    expect(cacheme.nodes()).toEqual([{ name: "user", nodeClass: newer }]);
    expect(warned.mock.calls).toEqual([
      [
        expect.stringMatching(/^Node "user" was defined again.*identity\.test\.ts/s),
        expect.objectContaining({ code: "CACHEME_DUPLICATE_NODE" }),
      ],
    ]);
  });

  it("takes over from every edit before it, with one warning", async () => {
    const { cacheme } = await space();
    const warned = warnings();
    const loads = [() => "one", () => "two", () => "three"];
    const edits = loads.map((load) => defineNode({ ...base, load }));
    for (const [index, edit] of edits.entries()) {
      expect(await cacheme.get(edit(1))).toBe(["one", "two", "three"][index]);
    }
    expect(warned).toHaveBeenCalledTimes(1);
  });

  it("stores no values of the old one's loads that were under way", async () => {
    const { cacheme, remote } = await space();
    warnings();
    const loading = deferred<string>();
    const older = defineNode({ ...base, caches: twoTiers, load: () => loading.promise });
    const newer = defineNode({ ...base, caches: twoTiers });
    const read = cacheme.get(older(1));
    await settled();
    const [, second] = [loading, cacheme.get(newer(1))];
    loading.resolve("late");
    expect(await read).toBe("late");
    expect(await second).toBe("old");
    expect((await cacheme.peek(newer(1)))?.value).toBe("old");
    expect(remote.records.size).toBe(1);
  });

  it("is refused in production, with both places and the way out", async () => {
    vi.stubEnv("NODE_ENV", "production");
    const { cacheme } = await space();
    const [older, newer] = [defineNode(base), defineNode({ ...base, load: () => "new" })];
    await cacheme.get(older(1));
    for (const refused of [cacheme.get(newer(1)), cacheme.set(newer(1), "new")]) {
      expect(await reason(refused)).toMatchObject({
        code: "CACHEME_DUPLICATE_NODE",
        node: "user",
        message: expect.stringMatching(
          /named "user" in their meta.*first used:\n.*identity\.test\.ts.*first used:\n.*identity\.test\.ts/s,
        ),
      });
    }
    expect(await cacheme.get(older(1))).toBe("old");
  });

  it("is compared by the functions that the source does not show, unless they are the same", async () => {
    vi.stubEnv("NODE_ENV", "production");
    const cacheme = new Cacheme();
    const key = (): string => "k";
    const [one, two] = [() => 1, () => 2].map((load) => load.bind(undefined));
    await cacheme.get(defineNode({ name: "bound", key, load: one! })());
    expect(await cacheme.get(defineNode({ name: "bound", key, load: one! })())).toBe(1);
    expect(await reason(cacheme.get(defineNode({ name: "bound", key, load: two! })()))).toMatchObject({
      code: "CACHEME_DUPLICATE_NODE",
    });
  });
});

describe("a class without a name of its own", () => {
  const minified = (value: string, caches: NodeMeta["caches"]) =>
    class i extends Node<string> {
      static override meta: NodeMeta = { caches };
      key() {
        return "1";
      }
      override load() {
        return value;
      }
    };

  it("is refused if a tier is remote, with the reason", async () => {
    const { cacheme, remote } = await space();
    for (const caches of [remoteOnly, twoTiers]) {
      expect(await reason(cacheme.get(new (minified("user", caches))()))).toMatchObject({
        code: "CACHEME_INVALID_META",
        storage: "remote",
        message: expect.stringMatching(/no `name`.*"remote" is remote.*bundlers rename classes/),
      });
    }
    class Named extends Node<string> {
      static override meta: NodeMeta = { name: "named", caches: remoteOnly };
      key() {
        return "1";
      }
    }
    class Derived extends Named {}
    expect(await reason(cacheme.get(new Derived()))).toMatchObject({ code: "CACHEME_INVALID_META" });
    expect(remote.records.size).toBe(0);
  });

  it.each([
    ["in a named storage", localOnly],
    ["in the default storage", undefined],
    ["without tiers", []],
  ])("is identified by itself: %s", async (_, caches) => {
    const { cacheme } = await space();
    const warned = warnings();
    const [user, post] = [minified("user", caches), minified("post", caches)];
    for (let round = 0; round < 2; round++) {
      expect(await cacheme.getAll([new user(), new post()])).toEqual(["user", "post"]);
    }
    expect(cacheme.nodes()).toEqual([
      { name: "i", nodeClass: user },
      { name: "i#2", nodeClass: post },
    ]);
    expect(warned).not.toHaveBeenCalled();
  });

  it("has one name in events, errors, statistics and nodes()", async () => {
    const { cacheme } = await space();
    const [user, post] = [minified("user", localOnly), minified("post", localOnly)];
    const names: string[] = [];
    cacheme.on("load", ({ node }) => names.push(node));
    await cacheme.getAll([new user(), new post()]);
    expect(names).toEqual(["i", "i#2"]);
    expect(await reason(cacheme.get(new post(), { maxAge: "nonsense" as never }))).toMatchObject({
      node: "i#2",
    });
  });

  it("warns once if classes are made again and again", async () => {
    const cacheme = new Cacheme();
    const warned = warnings();
    for (let i = 0; i < 105; i++) await cacheme.get(new (minified(`${i}`, undefined))());
    expect(warned.mock.calls).toEqual([
      [expect.stringMatching(/100 node classes.*"i".*Define the class once/), expect.anything()],
    ]);
  });
});

describe("two spaces on one local storage", () => {
  it("never read each other's entries", async () => {
    const shared = memory();
    const [one, two] = [new Cacheme(), new Cacheme()];
    await one.registerStorage("local", shared);
    await two.registerStorage("local", shared);
    const user = defineNode({ name: "user", caches: localOnly, key: () => "1", load: () => "user" });
    const post = defineNode({ name: "post", caches: localOnly, key: () => "1", load: () => "post" });
    expect([await one.get(user()), await two.get(post())]).toEqual(["user", "post"]);
    expect([await one.get(user()), await two.get(post())]).toEqual(["user", "post"]);
  });
});
