import { type CacheTier, type Duration, msgpack, Node, type NodeMeta } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";

describe("NodeMeta", () => {
  it("takes all options", () => {
    class N extends Node {
      static override meta: NodeMeta = {
        name: "user",
        version: 2,
        caches: [{ storage: "local", ttl: "30s" }, { storage: "redis", ttl: 600_000 }, { storage: "disk" }],
        serializer: msgpack(),
        concurrency: 10,
        maxBatchSize: 100,
        loadTimeout: "1.5s",
      };
      key() {
        return "";
      }
    }
    expectTypeOf<typeof N.meta>().toEqualTypeOf<NodeMeta>();
  });

  it("takes undefined for every unset option", () => {
    const meta: NodeMeta = { name: undefined, version: undefined, caches: undefined, serializer: undefined };
    const tier: CacheTier = { storage: "local", ttl: undefined };
    expectTypeOf([meta, tier]).toExtend<unknown[]>();
  });

  it("takes tiers that were made elsewhere, even readonly ones", () => {
    const caches: readonly CacheTier[] = [{ storage: "local", ttl: "30s" }];
    const twoTiers = [{ storage: "local", ttl: "30s" }, { storage: "redis" }] as const;
    const metas: NodeMeta[] = [{ caches }, { caches: twoTiers }];
    expectTypeOf(metas).toExtend<unknown[]>();
  });

  it("refuses a bad ttl", () => {
    // @ts-expect-error the units are ms, s, m, h and d
    const seconds: NodeMeta = { caches: [{ storage: "local", ttl: "30sec" }] };
    // @ts-expect-error a number has to come first
    const soon: NodeMeta = { caches: [{ storage: "local", ttl: "soon" }] };
    // @ts-expect-error a number without unit is written as a number
    const bare: NodeMeta = { caches: [{ storage: "local", ttl: "30" }] };
    // @ts-expect-error no ttl is undefined
    const none: NodeMeta = { caches: [{ storage: "local", ttl: null }] };
    // @ts-expect-error a date is no length of time
    const date: NodeMeta = { caches: [{ storage: "local", ttl: new Date() }] };
    // @ts-expect-error nor is "forever"
    const timeout: NodeMeta = { loadTimeout: "forever" };
    expectTypeOf([seconds, soon, bare, none, date, timeout]).toExtend<unknown[]>();
  });

  it("refuses a typo", () => {
    // @ts-expect-error it is `caches`
    const cache: NodeMeta = { cache: [{ storage: "local" }] };
    // @ts-expect-error it is `ttl`
    const tll: NodeMeta = { caches: [{ storage: "local", tll: "30s" }] };
    // @ts-expect-error it is `storage`
    const store: NodeMeta = { caches: [{ store: "local", ttl: "30s" }] };
    // @ts-expect-error it is `serializer`
    const serialiser: NodeMeta = { name: "user", serialiser: msgpack() };
    expectTypeOf([cache, tll, store, serialiser]).toExtend<unknown[]>();
  });

  it("refuses options of another type", () => {
    // @ts-expect-error a version is a number or a text
    const version: NodeMeta = { version: true };
    // @ts-expect-error a list of tiers, not one
    const one: NodeMeta = { caches: { storage: "local" } };
    // @ts-expect-error a tier, not the name of a storage
    const names: NodeMeta = { caches: ["local"] };
    // @ts-expect-error msgpack is a function that makes a serializer
    const serializer: NodeMeta = { serializer: msgpack };
    expectTypeOf([version, one, names, serializer]).toExtend<unknown[]>();
  });

  it("refuses them in a class as well", () => {
    class N extends Node {
      static override meta: NodeMeta = {
        // @ts-expect-error "a minute" is no duration
        caches: [{ storage: "local", ttl: "a minute" }],
      };
      key() {
        return "";
      }
    }
    // @ts-expect-error an annotation is missing, so that the ttl is any text
    class NotAnnotated extends Node {
      static override meta = { caches: [{ storage: "local", ttl: "a minute" }] };
      key() {
        return "";
      }
    }
    expectTypeOf([new N(), new NotAnnotated()]).toExtend<Node[]>();
  });
});

describe("Duration", () => {
  it("takes milliseconds and strings with a unit", () => {
    const durations: Duration[] = [0.5, 1500, "250ms", "30s", "1.5h", "5m", "7d"];
    expectTypeOf(durations).toExtend<unknown[]>();
    const minutes: number = 5;
    expectTypeOf(`${minutes}m` as const).toExtend<Duration>();
  });

  it("refuses other strings and other units", () => {
    expectTypeOf<"1w">().not.toExtend<Duration>();
    expectTypeOf<"s">().not.toExtend<Duration>();
    expectTypeOf<"5 minutes">().not.toExtend<Duration>();
    expectTypeOf<string>().not.toExtend<Duration>();
    expectTypeOf<bigint>().not.toExtend<Duration>();
  });
});
