import { oneAtATime } from "cacheme/driver";
import { ClusterNodes } from "./cluster-nodes.js";
import { Connection } from "./connection.js";
import type { RedisClient, RedisClusterClient } from "./ioredis.js";

/** The nodes that a `Cluster` of the program knows, by the client's own connections. */
export class IoredisClusterNodes extends ClusterNodes {
  readonly #cluster: RedisClusterClient;
  readonly #whole: Connection<RedisClusterClient>;
  /** Slots that have moved since the client's last refresh. */
  readonly #moved = new Map<number, string>();

  constructor(cluster: RedisClusterClient, connectTimeout: number) {
    super(connectTimeout);
    this.#cluster = cluster;
    this.#whole = new Connection({ client: cluster, own: undefined, isPersistent: true, connectTimeout });
  }

  open(): Promise<void> {
    return this.#whole.open();
  }

  override async close(): Promise<void> {
    await this.#whole.close();
    await super.close();
  }

  masterOf(slot: number): Connection | undefined {
    const name = this.#moved.get(slot) ?? this.#cluster.slots[slot]?.[0];
    return name === undefined ? undefined : this.at(name);
  }

  at(name: string): Connection | undefined {
    const known = this.connections.get(name);
    if (known !== undefined && known.client.status !== "end" && known.client.status !== "close") return known;
    // Removes the listeners only, because the client is the program's.
    known?.close().catch(() => {});
    this.connections.delete(name);
    const client = this.#cluster.nodes("all").find((node) => nameOfNode(node) === name);
    return client && this.connect(name, client, undefined);
  }

  moved(slot: number, name: string): void {
    if (this.#cluster.slots[slot]?.[0] === name) return;
    this.#moved.set(slot, name);
    this.version++;
  }

  masters(): readonly Connection[] {
    return this.#cluster.nodes("master").flatMap((node) => this.at(nameOfNode(node)) ?? []);
  }

  /** Never rejects. If the refresh fails, the next command shows why. */
  readonly refresh: () => Promise<void> = oneAtATime(async () => {
    const error = await new Promise((resolve) => this.#cluster.refreshSlotsCache(resolve));
    if (!error) this.#moved.clear();
  });
}

function nameOfNode(node: RedisClient): string {
  return `${node.options?.host}:${node.options?.port ?? 6379}`;
}
