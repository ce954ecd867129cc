import assert from "node:assert/strict";
import { redis } from "@cacheme/redis";
import { Cacheme, Node, type NodeMeta } from "cacheme";

class FarNode extends Node<string> {
  static override meta: NodeMeta = { caches: [{ storage: "far", ttl: "1m" }] };

  key() {
    return "far";
  }

  override load() {
    return "from the source";
  }
}

const cacheme = new Cacheme();

/** No server listens there: the storage is made and asked, and the value comes from the source. */
await cacheme.registerStorage("far", redis("redis://127.0.0.1:1", { connect: "lazy" }));
assert.deepEqual(
  cacheme.storages().map(({ name }) => name),
  ["far"],
);
assert.equal(await cacheme.get(new FarNode()), "from the source");
await cacheme.close();
