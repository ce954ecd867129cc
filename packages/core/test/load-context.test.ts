import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { type LoadAll, Node, type NodeMeta } from "../src/index.js";
import { localOnly, NumberedNode, space } from "./support/space.js";

/** The request that a load runs for, as a program keeps it. */
const tenant = new AsyncLocalStorage<string>();

function bulk() {
  const seen: (string | undefined)[] = [];
  class Bulk extends NumberedNode<number> {
    static override meta: NodeMeta = { name: "bulk", caches: localOnly };
    static override loadAll: LoadAll<Bulk> = (nodes) => {
      seen.push(tenant.getStore());
      return nodes.map(({ id }) => id);
    };
  }
  return { Bulk, seen };
}

describe("the async context of a load", () => {
  it("is that of the caller if all keys of a loadAll come from one call", async () => {
    const { cacheme } = await space();
    const { Bulk, seen } = bulk();
    await tenant.run("a", () => cacheme.getAll([new Bulk(1), new Bulk(2)]));
    await tenant.run("b", () => cacheme.get(new Bulk(3)));
    await tenant.run("c", () => cacheme.refresh([new Bulk(1), new Bulk(2)]));
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("is empty if a loadAll answers several calls", async () => {
    const { cacheme } = await space();
    const { Bulk, seen } = bulk();
    await Promise.all([
      tenant.run("a", () => cacheme.get(new Bulk(1))),
      tenant.run("b", () => cacheme.get(new Bulk(2))),
    ]);
    expect(seen).toEqual([undefined]);
  });

  it("is that of the flight's first reader, for a load of one node", async () => {
    const { cacheme } = await space();
    class Single extends Node<string | undefined> {
      static override meta: NodeMeta = { name: "single", caches: localOnly };
      key() {
        return "k";
      }
      override async load() {
        return tenant.getStore();
      }
    }
    const [first, second] = await Promise.all([
      tenant.run("a", () => cacheme.get(new Single())),
      tenant.run("b", () => cacheme.get(new Single())),
    ]);
    expect([first, second]).toEqual(["a", "a"]);
  });
});
