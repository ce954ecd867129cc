/**
 * A test process that starts a server, named by its first argument, and then waits to be killed.
 */

import { startRedisCluster } from "../src/run/redis-cluster.js";
import { startRedisSentinel } from "../src/run/redis-sentinel.js";
import { server } from "../src/run/service.js";
import type { ServiceName } from "../src/services/catalogue.js";

process.send?.({ ports: await started(process.argv[2]) });
setInterval(() => {}, 1000);

async function started(what = "redis"): Promise<number[]> {
  if (what === "cluster") return (await startRedisCluster()).nodes.map(({ port }) => port);
  if (what === "sentinel") {
    const { master, replicas, sentinels } = await startRedisSentinel();
    return [master, ...replicas, ...sentinels].map(({ port }) => port);
  }
  // The tests pass a service's name.
  return [(await server(what as ServiceName)).port];
}
