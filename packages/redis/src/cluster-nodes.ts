import type { Redis } from "ioredis";
import { Connection } from "./connection.js";
import { type Address, mapped, type NatMap, nameOf } from "./connection-options.js";
import type { RedisClient } from "./ioredis.js";

/** The nodes of a Redis Cluster, and the slots of each. */
export abstract class ClusterNodes {
  /** Counts the changes of slots that were noticed. */
  version = 0;
  protected readonly connections: Map<string, Connection> = new Map();
  protected readonly connectTimeout: number;

  constructor(connectTimeout: number) {
    this.connectTimeout = connectTimeout;
  }

  /** Settles when the masters of the slots are known. */
  abstract open(): Promise<void>;

  async close(): Promise<void> {
    await Promise.all([...this.connections.values()].map((connection) => connection.close()));
    this.connections.clear();
  }

  /** Returns the last known master of a slot. */
  abstract masterOf(slot: number): Connection | undefined;
  /** Returns the node at an address that another node gave, `host:port`. */
  abstract at(name: string): Connection | undefined;
  /** Notes a slot's new master after a MOVED. */
  abstract moved(slot: number, name: string): void;
  abstract masters(): readonly Connection[];
  /** Asks the nodes for the masters of all slots. Concurrent calls share one answer. */
  abstract readonly refresh: () => Promise<void>;

  protected connect(name: string, client: RedisClient, own: Redis | undefined): Connection {
    const { connectTimeout } = this;
    const onLost = (): void => void this.refresh().catch(() => {});
    const connection = new Connection({ client, own, isPersistent: true, connectTimeout, onLost });
    this.connections.set(name, connection);
    return connection;
  }
}

/** Slots in a row and their master. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: Address;
}

/** Reads the answer to CLUSTER SLOTS. A node that does not know its own address omits it. */
export function slotRanges(answer: unknown, asked: string, natMap: NatMap | undefined): SlotRange[] {
  if (!Array.isArray(answer)) throw new Error("expected a list of slots and their masters");
  return answer.map((range: unknown) => {
    const [first, last, master]: unknown[] = Array.isArray(range) ? range : [];
    const [named, port]: unknown[] = Array.isArray(master) ? master : [];
    const host = typeof named === "string" && named !== "" && named !== "?" ? named : asked;
    return { first: Number(first), last: Number(last), master: mapped({ host, port: Number(port) }, natMap) };
  });
}

/** Reads `host:port` of a redirection. Without a host it is the sender's. */
export function namedIn(text: string, sender: string, natMap: NatMap | undefined): string {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[|\]$/g, "");
  return nameOf(mapped({ host: host === "" ? sender : host, port: Number(text.slice(colon + 1)) }, natMap));
}

export function hostOf(connection: Connection): string {
  return connection.client.options?.host ?? "127.0.0.1";
}
