import { Cacheme, defineNode, memory } from "cacheme";
import { redis, redisBus } from "../src/index.js";

/** A call of the test: the name of a function below, and the node's id. */
export interface VersionCall {
  readonly name: "get" | "invalidate" | "local" | "loads";
  readonly id: string;
}

const [, , url = "", version = ""] = process.argv;
const cacheme = new Cacheme();
await cacheme.registerStorage("local", memory());
await cacheme.registerStorage("redis", redis(url));
await cacheme.registerBus(redisBus(url));

let loads = 0;
const policy =
  version === "1"
    ? { version: 1 }
    : { version: 2, migratesFrom: [1], migrate: (old: unknown) => ({ name: old, migrated: true }) };
const user = defineNode({
  name: "user",
  caches: [{ storage: "local" }, { storage: "redis", ttl: "1m" }],
  ...policy,
  key: (id: string) => id,
  load(): unknown {
    loads += 1;
    return version === "1" ? "Ada" : { name: "Ada" };
  },
});

const calls: Record<VersionCall["name"], (id: string) => unknown> = {
  get: (id) => cacheme.get(user(id)),
  invalidate: (id) => cacheme.invalidate(user(id)),
  local: (id) => cacheme.peekLocal(user(id)) !== undefined,
  loads: () => loads,
};

process.on("message", async ({ name, id }: VersionCall) => process.send?.({ answer: await calls[name](id) }));
process.on("disconnect", () => process.exit());
process.send?.({ answer: "ready" });
