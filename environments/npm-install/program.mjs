import { redis } from "@cacheme/redis";
import { Cacheme, defineNode, memory } from "cacheme";

const space = new Cacheme();
await space.registerStorage("local", memory());
await space.registerStorage("redis", redis("redis://127.0.0.1:1", { connect: "lazy" }));
const page = defineNode({
  name: "page",
  caches: [{ storage: "local", ttl: "1m" }, { storage: "redis" }],
  key: () => "1",
  load: () => "loaded",
});
process.stdout.write(await space.get(page()));
await space.close();
