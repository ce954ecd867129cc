import { Guardian, quote } from "./guardian.js";
import { type ReservedPort, reservePort } from "./port.js";
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

/**
 * Starts a cluster of servers of the service `redis`, and waits until every node serves and every replica follows.
 *
 * @throws Error if Redis is not to be had as a program on this machine
 */
export async function startRedisCluster(): Promise<RedisCluster> {
  const guardian = new Guardian();
  const buses = await Promise.all(Array.from({ length: 2 * masters }, () => reservePort()));
  guardian.leave(`rm -f ${buses.map(({ mark }) => quote(mark)).join(" ")}`);
  const giveBack = (): void => {
    for (const bus of buses) bus.release();
    guardian.dismiss();
  };
  try {
    const nodes = await allOrNone(buses.map(startNode));
    const stop = async (): Promise<void> => {
      await Promise.all(nodes.map((node) => node.stop()));
      giveBack();
    };
    await join(nodes, buses).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    return { url: clusterUrl(nodes), nodes, stop };
  } catch (error) {
    giveBack();
    throw error;
  }
}

function startNode({ port }: ReservedPort): Promise<Server> {
  const words = ["--cluster-enabled", "yes", "--cluster-port", String(port)];
  const speed = ["--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"];
  return server("redis", { arguments: [...words, ...speed] });
}

/** What `redis-cli --cluster create` does, without its pauses. */
/** Of all nodes: any of them may be the one that a test has killed. */
function clusterUrl(nodes: readonly { readonly port: number }[]): string {
  return `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`;
}

async function join(nodes: readonly Server[], buses: readonly ReservedPort[]): Promise<void> {
  const ports = nodes.map(({ port }) => port);
  const first = ports[0] ?? 0;
  for (const [index, port] of ports.entries()) {
    // Epochs of their own spare the nodes an election about whose slots are whose.
    await redisCommand(port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
    if (index < masters) await redisCommand(port, `CLUSTER ADDSLOTSRANGE ${share(index)}`);
    await redisCommand(first, `CLUSTER MEET 127.0.0.1 ${port} ${buses[index]?.port}`);
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

/** The first and the last slot of a master. */
function share(index: number): string {
  const start = (of: number): number => Math.round((of * slots) / masters);
  return `${start(index)} ${start(index + 1) - 1}`;
}
