import { server } from "@cacheme/test-services";
import { builds } from "./build.js";
import { coldKey } from "./cold-key.js";
import { longList } from "./long-list.js";
import { misses } from "./misses.js";

/** `run.js [FOLDER…]`: measures this checkout, and built checkouts beside it. */
const all = await builds(process.argv.slice(2));
const redisServer = await server("redis");
if (all.length > 1) await misses(all, redisServer.url);
await longList(all, redisServer.url);
await coldKey(all, redisServer.url);
await redisServer.stop();
