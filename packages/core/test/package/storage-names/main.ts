import assert from "node:assert/strict";
import { get, memory, Node, type NodeMeta, registerStorage } from "cacheme";

declare module "cacheme" {
  interface Register {
    storages: "near" | "far";
  }
}

class NearNode extends Node<number> {
  static override meta: NodeMeta = { caches: [{ storage: "near", ttl: "10s" }] };

  key() {
    return "near";
  }

  override load() {
    return 1;
  }
}

class MisspeltNode extends NearNode {
  // @ts-expect-error there is no storage of that name
  static override meta: NodeMeta = { caches: [{ storage: "naer", ttl: "10s" }] };
}

await registerStorage("near", memory({ maxSize: 10 }));
assert.equal(await get(new NearNode()), 1);
await assert.rejects(get(new MisspeltNode()), { code: "CACHEME_UNKNOWN_STORAGE" });
