import type { Redis, RedisOptions } from "ioredis";
import { slotRanges } from "../cluster-nodes.js";
import { Connection } from "../connection.js";
import { type Address, nameOf } from "../connection-options.js";
import {
  type Library,
  loadIoredis,
  newClient,
  passive,
  type RedisClient,
  type RedisClusterClient,
} from "../ioredis.js";
import type { ClusterSettings, Settings, Target } from "../options.js";
import { masterOf } from "../sentinel.js";

/** One of a bus's connections, with the client in it. */
export interface BusClient {
  readonly client: Redis;
  readonly connection: Connection;
}

/** The two connections of a bus: a subscriber of RESP2 takes no other commands. */
export interface BusClients {
  readonly subscriber: BusClient;
  readonly publisher: BusClient;
}

/** A client that the bus can make another one of. */
interface Duplicable {
  duplicate(override: RedisOptions): Redis;
}

/**
 * Settings of a client that sends no command by itself after it has connected again.
 *
 * ioredis emits "ready" before the subscriptions that it repeats are in force, and says nothing when
 * they are: so the bus repeats them. ioredis 6 speaks RESP3 by default, drops what a server pushes
 * to a tracking client, and says nothing either.
 */
const quiet: RedisOptions & { readonly protocol: number } = { autoResubscribe: false, protocol: 2 };

/**
 * Makes the connections for a target. They are the bus's own, also for a client of the program:
 * a subscriber cannot do anything else.
 *
 * @param onLost called when one of them has lost its connection
 */
export async function makeBusClients(
  { label, target, connectTimeout }: Pick<Settings, "label" | "target" | "connectTimeout">,
  onLost: (role: keyof BusClients) => void,
): Promise<BusClients> {
  const makes = await makerFor(label, target);
  const make = (role: keyof BusClients): BusClient => {
    const { client, locate } = makes(role);
    const connection = new Connection({
      client,
      own: client,
      isPersistent: true,
      connectTimeout,
      locate,
      onLost: () => onLost(role),
    });
    return { client, connection };
  };
  return { subscriber: make("subscriber"), publisher: make("publisher") };
}

interface Made {
  readonly client: Redis;
  readonly locate?: ((signal: AbortSignal) => Promise<Address>) | undefined;
}

type Maker = (role: keyof BusClients) => Made;

async function makerFor(label: string, target: Target): Promise<Maker> {
  if (target.kind === "client") {
    const given = duplicable(target.client);
    return () => ({ client: given.duplicate({ ...passive, ...quiet }) });
  }
  if (target.kind === "clusterClient") {
    const nodes = await nodesOf(target.client);
    const given = duplicable(nodes[0]);
    return (role) => {
      const places = () => target.client.nodes("all").map(addressOf);
      return { client: given.duplicate({ ...passive, ...quiet }), locate: inTurn(role, places) };
    };
  }
  const library = await loadIoredis(label);
  const options = { ...target.options, ...quiet };
  if (target.kind === "cluster") return clusterMaker(library, options, target.cluster);
  const client = (): Redis => newClient(library, options);
  if (target.kind === "server") return () => ({ client: client() });
  const locate = (signal: AbortSignal) => masterOf(library, target.sentinel, target.options, signal);
  return () => ({ client: client(), locate });
}

/**
 * In a Cluster each message reaches all nodes, so that any node serves. The two connections go to
 * different ones: a node that is cut off from the others then shows by the missing echo.
 */
function clusterMaker(library: Library, options: RedisOptions, { seeds, natMap }: ClusterSettings): Maker {
  let known: readonly Address[] = seeds;
  return (role) => {
    const client = newClient(library, options);
    client.on("ready", () => {
      const learn = async (): Promise<void> => {
        const ranges = slotRanges(await client.call("cluster", "slots"), client.options.host ?? "", natMap);
        const byName = new Map(
          [...seeds, ...ranges.map(({ master }) => master)].map((at) => [nameOf(at), at]),
        );
        known = [...byName.values()];
      };
      // A subscriber may not ask. The publisher learns for both.
      if (role === "publisher") learn().catch(() => {});
    });
    return { client, locate: inTurn(role, () => known) };
  };
}

/** Tries the places one after the other. The two connections begin with different ones. */
function inTurn(role: keyof BusClients, places: () => readonly Address[]): () => Promise<Address> {
  let next = role === "subscriber" ? 0 : 1;
  return async () => {
    const all = places();
    const place = all[next % all.length];
    next += 1;
    if (place === undefined) throw new Error("no node of the cluster is known");
    return place;
  };
}

async function nodesOf(cluster: RedisClusterClient): Promise<readonly RedisClient[]> {
  if (cluster.nodes("all").length === 0) {
    if (cluster.status === "wait") await cluster.connect();
    else await new Promise<void>((resolve) => cluster.on("ready", resolve));
  }
  return cluster.nodes("all");
}

function duplicable(client: RedisClient | undefined): Duplicable {
  if (client !== undefined && "duplicate" in client && typeof client.duplicate === "function") {
    return client as RedisClient & Duplicable; // Each client of ioredis has it.
  }
  throw new Error("the client given to redisBus() has no duplicate(), as each client of ioredis has");
}

function addressOf({ options }: RedisClient): Address {
  return { host: options?.host ?? "localhost", port: options?.port ?? 6379 };
}
