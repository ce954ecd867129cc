import { spawnSync } from "node:child_process";
import { resolveServer } from "../find/resolve.js";
import { quote } from "../machine/quote.js";
import { type ReservedPort, reservePort } from "../network/port.js";
import { Guardian } from "./guardian.js";
import { redisCommand, untilRedis } from "./redis-command.js";
import { allOrNone, type Server, server } from "./service.js";

/** A Redis Cluster of our own: three masters that share the slots, and one replica for each. */
export interface RedisCluster {
  /** `redis+cluster://` with the addresses of all nodes. */
  readonly url: string;
  /**
   * The six nodes. The first three began as masters, and each one's replica is three places behind
   * it.
   */
  readonly nodes: readonly Server[];
  /** Stops all nodes. */
  stop(): Promise<void>;
}

const masters = 3;
const slots = 16_384;

/** The way in which nodes get the port of their bus. */
export interface ClusterWays {
  /**
   * Whether the port of the bus can be chosen (`--cluster-port`, since Redis 7). Before, the bus
   * has the node's port plus 10,000. Default: according to the program's version.
   */
  readonly choosesBus?: boolean | undefined;
}

/**
 * Starts a cluster of Redis servers, and waits until each node serves and each replica follows.
 *
 * @throws Error if this machine has no program for Redis
 */
export async function startRedisCluster({
  choosesBus = mayChooseBus(),
}: ClusterWays = {}): Promise<RedisCluster> {
  const guardian = new Guardian();
  const buses = await Promise.all(Array.from({ length: 2 * masters }, () => reservePort()));
  guardian.leave(`rm -f ${buses.map(({ mark }) => quote(mark)).join(" ")}`);
  const giveBack = (): void => {
    for (const bus of buses) bus.release();
    guardian.dismiss();
  };
  try {
    const nodes = await allOrNone(buses.map((bus) => startNode(choosesBus ? bus : undefined)));
    const stop = async (): Promise<void> => {
      await Promise.all(nodes.map((node) => node.stop()));
      giveBack();
    };
    await join(nodes, choosesBus ? buses : undefined).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    return { url: clusterUrl(nodes), nodes, stop };
  } catch (error) {
    giveBack();
    throw error;
  }
}

/**
 * Attempts to start a node. A bus port that is not chosen may be taken; then another node is
 * started.
 */
const mostAttempts = 5;

async function startNode(bus: ReservedPort | undefined): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await server("redis", { arguments: nodeWords(bus) });
    } catch (error) {
      if (bus !== undefined || attempt === mostAttempts) throw error;
    }
  }
}

function nodeWords(bus: ReservedPort | undefined): readonly string[] {
  const words = [
    "--cluster-enabled",
    "yes",
    ...(bus === undefined ? [] : ["--cluster-port", String(bus.port)]),
  ];
  const speed = ["--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"];
  return [...words, ...speed];
}

/** Redis 6 prints `Redis server v=6.2.14 …`. Valkey began with 7.2. */
function mayChooseBus(): boolean {
  const resolution = resolveServer("redis");
  if (resolution.from !== "binary") return true;
  const said = spawnSync(resolution.path, ["--version"], { encoding: "utf8" }).stdout ?? "";
  return Number(/\bv=(\d+)/.exec(said)?.[1] ?? 7) >= 7;
}

/** Returns an address with all nodes, because a test may have killed any of them. */
function clusterUrl(nodes: readonly { readonly port: number }[]): string {
  return `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
}

/** Joins the nodes like `redis-cli --cluster create`, without its pauses. */
async function join(nodes: readonly Server[], buses: readonly ReservedPort[] | undefined): Promise<void> {
  const ports = nodes.map(({ port }) => port);
  const first = ports[0] ?? 0;
  for (const [index, port] of ports.entries()) {
    // Different epochs save the nodes an election about the owners of slots.
    await redisCommand(port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
    if (index < masters) await redisCommand(port, `CLUSTER ADDSLOTS ${share(index)}`);
    await redisCommand(first, `CLUSTER MEET 127.0.0.1 ${port} ${buses?.[index]?.port ?? ""}`);
  }
  const everyoneKnown = new RegExp(`cluster_known_nodes:${nodes.length}\\b`);
  await untilRedis(ports, "CLUSTER INFO", everyoneKnown);
  for (const [index, port] of ports.slice(masters).entries()) {
    const master = await redisCommand(ports[index] ?? 0, "CLUSTER MYID");
    await redisCommand(port, `CLUSTER REPLICATE ${master}`);
  }
  await untilRedis(ports.slice(masters), "INFO replication", /master_link_status:up/);
  await untilRedis(ports, "CLUSTER INFO", /cluster_state:ok/);
}

/** Returns a master's slots, each by its number: only Redis 7 and later accept a range. */
function share(index: number): string {
  const start = (of: number): number => Math.round((of * slots) / masters);
  const count = start(index + 1) - start(index);
  return Array.from({ length: count }, (_, place) => start(index) + place).join(" ");
}
