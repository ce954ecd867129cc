import { describe, expect, it } from "vitest";
import { type Cacheme, Node, type NodeMeta } from "../../src/index.js";
import { taggedSpace } from "../support/space.js";

const minute = 60_000;

const twoTiers: NodeMeta["caches"] = [
  { storage: "local", ttl: "1m" },
  { storage: "remote", ttl: "1m" },
];

/** Makes the same class for each process, with a source that can be down. */
function classFor(source: { isDown: boolean; loads: number }) {
  return class Item extends Node<string> {
    static override meta: NodeMeta = {
      name: "item",
      caches: twoTiers,
      staleIfError: "1h",
      staleBackOff: "30s",
    };
    constructor(readonly id: number) {
      super();
    }
    key() {
      return `${this.id}`;
    }
    override tags() {
      return ["red"];
    }
    override load() {
      source.loads++;
      return source.isDown ? Promise.reject(new Error("down")) : `load ${source.loads}`;
    }
  };
}

type Item = InstanceType<ReturnType<typeof classFor>>;
type Invalidation = (cacheme: Cacheme, node: Item) => Promise<unknown>;

const invalidations: readonly [string, Invalidation][] = [
  ["invalidate", (cacheme, node) => cacheme.invalidate(node)],
  ["invalidateTags", (cacheme) => cacheme.invalidateTags("red")],
  [
    "invalidateAll",
    (cacheme, node) => cacheme.invalidateAll(node.constructor as ReturnType<typeof classFor>),
  ],
  ["invalidateMatching", (cacheme) => cacheme.invalidateMatching("item:*")],
  ["clear", (cacheme) => cacheme.clear({ remote: true })],
];

describe("the pause after a failed load", () => {
  it.each(invalidations)("ends with %s: the next stale value is loaded again", async (_, invalidation) => {
    const { cacheme, clock, process } = await taggedSpace();
    const source = { isDown: false, loads: 0 };
    const Item = classFor(source);
    await cacheme.get(new Item(1));
    clock.advance(minute + 1);
    source.isDown = true;
    for (let failure = 0; failure < 12; failure++) {
      expect(await cacheme.get(new Item(1))).toBe("load 1");
      clock.advance(40_000);
    }
    await cacheme.get(new Item(1));
    expect((await cacheme.explain(new Item(1))).backOff).toBeGreaterThan(0);
    source.isDown = false;

    await invalidation(cacheme, new Item(1));
    expect((await cacheme.explain(new Item(1))).backOff).toBe(0);
    // Another process loads it, with a short life.
    const other = await process();
    const loaded = source.loads;
    await other.get(new (classFor(source))(1));
    expect(await cacheme.get(new Item(1))).toBe(`load ${loaded + 1}`);
  });

  it("goes on after an invalidation of another tag or class", async () => {
    const { cacheme, clock } = await taggedSpace();
    const source = { isDown: false, loads: 0 };
    const Item = classFor(source);
    await cacheme.get(new Item(1));
    clock.advance(minute + 1);
    source.isDown = true;
    await cacheme.get(new Item(1));
    await cacheme.invalidateTags("blue");
    await cacheme.get(new Item(1));
    expect(source.loads).toBe(2);
  });
});
