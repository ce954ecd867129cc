import { spawnSync } from "node:child_process";
import { resolveServer } from "../find/resolve.js";
import { quote } from "../machine/quote.js";
import { type ReservedPort, reservePort } from "../network/port.js";
import { Guardian } from "./guardian.js";
import { redisCommand, untilRedis } from "./redis-command.js";
import { allOrNone, type Server, server } from "./service.js";

/** A Redis Cluster of our own: three masters that share the slots, and a replica of each. */
export interface RedisCluster {
  /** `redis+cluster://` with the addresses of all nodes. */
  readonly url: string;
  /** All six; the first three began as masters, and the replica of each stands three places behind it. */
  readonly nodes: readonly Server[];
  /** Gives all nodes back. */
  stop(): Promise<void>;
}

const masters = 3;
const slots = 16_384;

/** How a node comes by the port of its bus, and a master by its slots. */
export interface ClusterWays {
  /**
   * Whether the port of the bus can be chosen (`--cluster-port`, from Redis 7 on). Before, it is the node's port and
   * 10,000. Default: what the program says of its version.
   */
  readonly choosesBus?: boolean | undefined;
}

/**
 * Starts a cluster of servers of the service `redis`, and waits until every node serves and every replica follows.
 *
 * @throws Error if Redis is not to be had as a program on this machine
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

/** A bus whose port is not chosen may meet one that is taken: then another node is tried. */
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

/** Redis 6 says `Redis server v=6.2.14 …`. Valkey began with 7.2. */
function mayChooseBus(): boolean {
  const resolution = resolveServer("redis");
  if (resolution.from !== "binary") return true;
  const said = spawnSync(resolution.path, ["--version"], { encoding: "utf8" }).stdout ?? "";
  return Number(/\bv=(\d+)/.exec(said)?.[1] ?? 7) >= 7;
}

/** Of all nodes: any of them may be the one that a test has killed. */
function clusterUrl(nodes: readonly { readonly port: number }[]): string {
  return `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
}

/** What `redis-cli --cluster create` does, without its pauses. */
async function join(nodes: readonly Server[], buses: readonly ReservedPort[] | undefined): Promise<void> {
  const ports = nodes.map(({ port }) => port);
  const first = ports[0] ?? 0;
  for (const [index, port] of ports.entries()) {
    // Epochs of their own spare the nodes an election about whose slots are whose.
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

/** The slots of a master, one by one: a range can be given from Redis 7 on only. */
function share(index: number): string {
  const start = (of: number): number => Math.round((of * slots) / masters);
  const count = start(index + 1) - start(index);
  return Array.from({ length: count }, (_, place) => start(index) + place).join(" ");
}
