import { readFileSync } from "node:fs";
import { serveBusUser } from "@cacheme/test-services/bus/bus-user";
import { Cacheme, defineNode, memory } from "cacheme";
import { redis, redisBus } from "../../src/index.js";

await serveBusUser(async ({ bus, storage, source }) => {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory({ maxSize: 200_000 }));
  await cacheme.registerStorage("redis", redis(storage));
  await cacheme.registerBus(redisBus(bus));
  const user = defineNode({
    name: "user",
    caches: [{ storage: "local" }, { storage: "redis", ttl: "10m" }],
    key: (id: string) => id,
    load: () => readFileSync(source, "utf8"),
  });
  const many = defineNode({
    name: "many",
    caches: [{ storage: "local" }],
    key: (id: string) => id,
    load: (id) => id,
  });
  return { cacheme, user, many };
});
