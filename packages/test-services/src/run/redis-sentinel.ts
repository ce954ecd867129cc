import { join } from "node:path";
import { redis } from "../services/redis.js";
import type { ServiceDefinition } from "../services/service-definition.js";
import { redisCommand, untilRedis } from "./redis-command.js";
import { allOrNone, type Server, variant } from "./service.js";

/**
 * A Redis master with two replicas and three sentinels. If the master fails, the sentinels promote
 * a replica.
 */
export interface RedisSentinel {
  /** `redis+sentinel://127.0.0.1:P1,127.0.0.1:P2,127.0.0.1:P3/mymaster`, with the ports of the sentinels. */
  readonly url: string;
  /** The server that began as master. */
  readonly master: Server;
  /** The servers that began as its replicas. */
  readonly replicas: readonly Server[];
  /**
   * The three sentinels. Two must agree that the master is down, after 500 ms without an answer.
   */
  readonly sentinels: readonly Server[];
  /** Stops all six servers. */
  stop(): Promise<void>;
}

const group = "mymaster";

/**
 * Starts the six servers, and waits until the replicas follow and the sentinels know all servers.
 *
 * @throws Error if this machine has no program for Redis
 */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const running: Server[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((one) => one.stop()));
  };
  const start = async (count: number, definition: ServiceDefinition): Promise<Server[]> => {
    const started = await allOrNone(Array.from({ length: count }, () => variant("redis", definition)));
    running.push(...started);
    return started;
  };
  try {
    const [master] = await start(1, data(""));
    if (master === undefined) throw new Error("The master of Redis did not start.");
    const replicas = await start(2, data(`replicaof 127.0.0.1 ${master.port}\n`));
    // A sentinel asks the master for its replicas at once, and then only every ten seconds. The
    // replicas must follow before.
    await untilRedis(portsOf(replicas), "INFO replication", /master_link_status:up/);
    const sentinels = await start(3, sentinel(master.port));
    await introduce(portsOf(sentinels));
    const addresses = portsOf(sentinels).map((port) => `127.0.0.1:${port}`);
    return { url: `redis+sentinel://${addresses.join(",")}/${group}`, master, replicas, sentinels, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Describes a server of the group. Its role is in a file that the server rewrites when a sentinel
 * changes it, so that a restart keeps the role.
 */
function data(role: string): ServiceDefinition {
  return {
    ...redis,
    files: () => ({ "redis.conf": role }),
    arguments: (place) => [
      join(place.folder, "redis.conf"),
      ...redis.arguments(place),
      ...["--repl-diskless-sync-delay", "0"],
    ],
  };
}

function sentinel(master: number): ServiceDefinition {
  return {
    ...redis,
    title: "Redis Sentinel",
    files: ({ host, port, folder }) => ({
      "sentinel.conf": [
        ...[`bind ${host}`, `port ${port}`, `dir ${folder}`, "protected-mode no"],
        `sentinel monitor ${group} 127.0.0.1 ${master} 2`,
        `sentinel down-after-milliseconds ${group} 500`,
        `sentinel failover-timeout ${group} 2000`,
        "",
      ].join("\n"),
    }),
    arguments: ({ folder }) => [join(folder, "sentinel.conf"), "--sentinel"],
  };
}

/**
 * Makes the sentinels announce themselves at once instead of every two seconds, and check roles at
 * once instead of every ten.
 */
async function introduce(ports: readonly number[]): Promise<void> {
  const hurry = "SENTINEL DEBUG publish-period 100 info-period 1000";
  // Before Redis 7, sentinels cannot be made faster.
  await Promise.all(ports.map((port) => redisCommand(port, hurry).catch(() => undefined)));
  await untilRedis(ports, "INFO sentinel", /status=ok,.*slaves=2,sentinels=3\b/);
}

function portsOf(servers: readonly Server[]): number[] {
  return servers.map(({ port }) => port);
}
