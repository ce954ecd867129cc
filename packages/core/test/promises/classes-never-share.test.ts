import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cacheme, Node, type NodeMeta } from "../../src/index.js";
import { countingNode, localOnly, remoteOnly, space, twoTiers } from "../support/space.js";

describe("promise 7: node classes never share an entry", () => {
  it.each([
    ["local", localOnly],
    ["remote", remoteOnly],
    ["two tiers", twoTiers],
    ["the default storage", undefined],
  ])("keeps equal keys of two classes apart: %s", async (_, caches) => {
    const { cacheme } = await space();
    const users = countingNode({ name: "user", caches }, (id) => `user ${id}`);
    const posts = countingNode({ name: "post", caches }, (id) => `post ${id}`);
    for (let round = 0; round < 2; round++) {
      const read = await cacheme.getAll([new users.Counting(1), new posts.Counting(1)]);
      expect(read).toEqual(["user 1", "post 1"]);
    }
    await cacheme.invalidate(new users.Counting(1));
    expect(await cacheme.peek(new users.Counting(1))).toBeUndefined();
    expect((await cacheme.peek(new posts.Counting(1)))?.value).toBe("post 1");
  });

  it("keeps a class and its subclass apart, although the subclass inherits the meta", async () => {
    const { cacheme } = await space();
    class Base extends Node<string> {
      static override meta: NodeMeta = { name: "base", version: 7, caches: localOnly };
      key() {
        return "k";
      }
      override load() {
        return this.constructor.name;
      }
    }
    class Derived extends Base {}
    expect(await cacheme.getAll([new Base(), new Derived(), new Base()])).toEqual([
      "Base",
      "Derived",
      "Base",
    ]);
    expect(await cacheme.getAll([new Derived(), new Base()])).toEqual(["Derived", "Base"]);
    expect(cacheme.nodes()).toEqual([
      { name: "base", nodeClass: Base },
      { name: "Derived", nodeClass: Derived },
    ]);
    expect([cacheme.stats(Base).requestCount, cacheme.stats(Derived).requestCount]).toEqual([3, 2]);
  });

  it("gives a subclass with a meta of its own that meta's name", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ name: "base", caches: remoteOnly }, (id) => id);
    class Named extends Counting {
      static override meta: NodeMeta = { name: "named", caches: remoteOnly };
    }
    await cacheme.getAll([new Counting(1), new Named(1)]);
    expect([...remote.records.keys()]).toEqual(["cacheme:base:1:1", "cacheme:named:1:1"]);
  });

  it("identifies a class by itself if its prototype is frozen", async () => {
    const { cacheme } = await space();
    const users = countingNode({ name: "user", caches: localOnly }, (id) => `user ${id}`);
    const posts = countingNode({ name: "post", caches: localOnly }, (id) => `post ${id}`);
    Object.freeze(users.Counting.prototype);
    for (let round = 0; round < 2; round++) {
      expect(await cacheme.getAll([new users.Counting(1), new posts.Counting(1)])).toEqual([
        "user 1",
        "post 1",
      ]);
    }
    expect([users.loads, posts.loads]).toEqual([[1], [1]]);
  });

  it("keeps two Cacheme instances on one class apart", async () => {
    const { Counting } = countingNode({}, (_, load) => load);
    const [one, two] = [new Cacheme(), new Cacheme()];
    expect([await one.get(new Counting(1)), await two.get(new Counting(1))]).toEqual([1, 2]);
    await one.invalidate(new Counting(1));
    expect([one.peekLocal(new Counting(1)), two.peekLocal(new Counting(1))?.value]).toEqual([undefined, 2]);
    expect([one.stats(Counting).requestCount, two.stats(Counting).requestCount]).toEqual([1, 1]);
  });

  it("gives no two classes, keys and versions one place in a remote storage", () => {
    const part = fc.string({ unit: fc.constantFrom("a", "b", ":", "~", "1"), minLength: 1, maxLength: 6 });
    const name = fc.string({ unit: fc.constantFrom("a", "b", "~", "1"), minLength: 1, maxLength: 6 });
    // Names that begin with ~ are refused.
    const free = name.filter((each) => !each.startsWith("~"));
    const identity = fc.record({ name: free, key: part, version: name });
    return fc.assert(
      fc.asyncProperty(identity, identity, async (first, second) => {
        fc.pre(JSON.stringify(first) !== JSON.stringify(second));
        const places = await Promise.all(
          [first, second].map(async ({ name, key, version }) => {
            const { cacheme, remote } = await space();
            class Placed extends Node<number> {
              static override meta: NodeMeta = { name, version, caches: remoteOnly };
              key() {
                return key;
              }
            }
            await cacheme.set(new Placed(), 1);
            return [...remote.records.keys()][0];
          }),
        );
        expect(places[0]).not.toBe(places[1]);
      }),
      { numRuns: 100 },
    );
  });
});
