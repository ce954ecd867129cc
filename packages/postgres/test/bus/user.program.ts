import { readFileSync } from "node:fs";
import { serveBusUser } from "@cacheme/test-services/bus/bus-user";
import { Cacheme, defineNode, memory } from "cacheme";
import { postgres, postgresBus } from "../../src/index.js";

await serveBusUser(async ({ bus, storage, source }) => {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory({ maxSize: 200_000 }));
  await cacheme.registerStorage("postgres", postgres(storage));
  await cacheme.registerBus(postgresBus(bus));
  const user = defineNode({
    name: "user",
    caches: [{ storage: "local" }, { storage: "postgres", ttl: "10m" }],
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
