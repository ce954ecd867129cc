import {
  type CacheTier,
  defineNode,
  memory,
  type NodeMeta,
  type Register,
  registerStorage,
  type StorageName,
} from "cacheme";
import { describe, expectTypeOf, it } from "vitest";

describe("without Register augmented", () => {
  it("a storage's name is any string", () => {
    expectTypeOf<keyof Register>().toEqualTypeOf<never>();
    expectTypeOf<StorageName>().toEqualTypeOf<string>();
    expectTypeOf<CacheTier["storage"]>().toEqualTypeOf<string>();
  });

  it("registerStorage, a class and a definition take any name", () => {
    const name: string = "local";
    void registerStorage(name, memory());
    const meta: NodeMeta = { caches: [{ storage: "anything" }, { storage: name }] };
    expectTypeOf(meta).toEqualTypeOf<NodeMeta>();
    defineNode({ name: "anywhere", key: () => "", load: () => 1, caches: [{ storage: "anywhere" }] });
  });

  it("refuses a name that is not a string, and anything but a storage", () => {
    // @ts-expect-error a name is a text
    void registerStorage(1, memory());
    // @ts-expect-error a Map is no storage
    void registerStorage("local", new Map());
    // @ts-expect-error memory is a function that makes a storage
    void registerStorage("local", memory);
  });
});
