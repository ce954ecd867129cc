import {
  Cacheme,
  type CacheTier,
  defineNode,
  get,
  memory,
  Node,
  type NodeMeta,
  type Register,
  registerStorage,
  type StorageName,
} from "cacheme";
import { describe, expectTypeOf, it } from "vitest";

/** It would apply to every other type test, so this folder is compiled by itself. */
declare module "cacheme" {
  interface Register {
    storages: "local" | "redis";
  }
}

describe("with Register augmented", () => {
  it("a storage's name is one of those that it lists", () => {
    expectTypeOf<keyof Register>().toEqualTypeOf<"storages">();
    expectTypeOf<StorageName>().toEqualTypeOf<"local" | "redis">();
    expectTypeOf<CacheTier["storage"]>().toEqualTypeOf<"local" | "redis">();
  });

  it("registerStorage takes these names and no other", () => {
    void registerStorage("local", memory());
    void new Cacheme().registerStorage("redis", memory());
    // @ts-expect-error there is no storage of that name
    void registerStorage("loacl", memory());
    // @ts-expect-error nor for another Cacheme
    void new Cacheme().registerStorage("disk", memory());
    const name: string = "local";
    // @ts-expect-error any text is too much
    void registerStorage(name, memory());
  });

  it("a class's caches take these names and no other", () => {
    class N extends Node<number> {
      static override meta: NodeMeta = { caches: [{ storage: "local", ttl: "30s" }, { storage: "redis" }] };
      key() {
        return "";
      }
    }
    // @ts-expect-error there is no storage of that name
    const meta: NodeMeta = { caches: [{ storage: "rediss", ttl: "30s" }] };
    expectTypeOf(meta).toEqualTypeOf<NodeMeta>();
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<number>>();
  });

  it("a definition's caches take these names and no other", () => {
    const one = defineNode({ name: "one", key: () => "", load: () => 1, caches: [{ storage: "local" }] });
    expectTypeOf(get(one())).toEqualTypeOf<Promise<number>>();
    // @ts-expect-error there is no storage of that name
    defineNode({ name: "two", key: () => "", load: () => 2, caches: [{ storage: "lokal" }] });
  });
});
