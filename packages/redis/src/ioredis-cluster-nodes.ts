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
  /** The masters of all slots at the client's last refresh. */
  #masters: readonly (string | undefined)[];

  constructor(cluster: RedisClusterClient, connectTimeout: number) {
    super(connectTimeout);
    this.#cluster = cluster;
    this.#whole = new Connection({ client: cluster, own: undefined, isPersistent: true, connectTimeout });
    this.#masters = this.#mastersNow();
    cluster.on("refresh", this.#onRefresh);
  }

  open(): Promise<void> {
    return this.#whole.open();
  }

  override async close(): Promise<void> {
    this.#cluster.off("refresh", this.#onRefresh);
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
    const names = this.#cluster.nodes("master").map(nameOfNode);
    return [...new Set([...names, ...this.#moved.values()])].flatMap((name) => this.at(name) ?? []);
  }

  /** Never rejects. If the refresh fails, the next command shows why. */
  readonly refresh: () => Promise<void> = oneAtATime(async () => {
    const error = await new Promise((resolve) => this.#cluster.refreshSlotsCache(resolve));
    if (!error) this.#moved.clear();
  });

  #mastersNow(): (string | undefined)[] {
    return this.#cluster.slots.map((names) => names?.[0]);
  }

  readonly #onRefresh = (): void => {
    const now = this.#mastersNow();
    if (now.length !== this.#masters.length || now.some((name, slot) => name !== this.#masters[slot]))
      this.version++;
    this.#masters = now;
  };
}

function nameOfNode(node: RedisClient): string {
  return `${node.options?.host}:${node.options?.port ?? 6379}`;
}
