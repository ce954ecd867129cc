import { noAnswer, oneAtATime, setTimeout, within } from "cacheme/driver";
import type { RedisOptions } from "ioredis";
import { ClusterNodes, hostOf, type SlotRange, slotRanges } from "./cluster-nodes.js";
import type { Connection } from "./connection.js";
import { type Address, nameOf } from "./connection-options.js";
import { type Library, newClient } from "./ioredis.js";
import type { ClusterSettings, Settings } from "./options.js";
import { slotCount } from "./slot.js";

export interface DiscoveredNodesOptions
  extends ClusterSettings,
    Pick<Settings, "connectTimeout" | "commandTimeout"> {
  readonly library: Library;
  /** For every node. */
  readonly options: RedisOptions;
}

/** The number of nodes that are asked for the slots at once. */
const askedAtOnce = 3;

/**
 * Connections of the storage to every master of a Cluster, found by some seed nodes. The `Cluster`
 * of ioredis would send commands long after their callers got an error, and keep a program alive.
 */
export class DiscoveredNodes extends ClusterNodes {
  readonly #options: DiscoveredNodesOptions;
  #slots: (string | undefined)[] = [];
  #isClosed = false;

  constructor(options: DiscoveredNodesOptions) {
    super(options.connectTimeout);
    this.#options = options;
  }

  async open(): Promise<void> {
    await this.refresh();
    // Connects before the first call. A call to a node that is down gets the error.
    for (const connection of this.masters()) connection.untilReady().catch(() => {});
  }

  override close(): Promise<void> {
    this.#isClosed = true;
    return super.close();
  }

  masterOf(slot: number): Connection | undefined {
    const name = this.#slots[slot];
    return name === undefined ? undefined : this.connections.get(name);
  }

  at(name: string): Connection | undefined {
    const colon = name.lastIndexOf(":");
    return this.#connection({ host: name.slice(0, colon), port: Number(name.slice(colon + 1)) });
  }

  moved(slot: number, name: string): void {
    if (this.#slots[slot] === name) return;
    this.at(name);
    this.#slots[slot] = name;
    this.version++;
  }

  masters(): readonly Connection[] {
    const names = new Set(this.#slots);
    return [...this.connections].flatMap(([name, connection]) => (names.has(name) ? [connection] : []));
  }

  /** Asks some ready nodes; if they all fail, asks all nodes and the seeds. */
  readonly refresh: () => Promise<void> = oneAtATime(async () => {
    const ready = [...this.connections.values()].filter(({ isReady }) => isReady);
    const from = Math.floor(Math.random() * ready.length);
    const some = [...ready, ...ready].slice(from, from + Math.min(askedAtOnce, ready.length));
    const first = Promise.any(some.map((connection) => this.#ask(connection)));
    const ranges = await first.catch(() => {
      const seeds = this.#options.seeds.map((address) => this.#connection(address));
      const all = new Set([...this.connections.values(), ...seeds]);
      return Promise.any([...all].map((connection) => this.#ask(connection)));
    });
    if (!this.#isClosed) this.#take(ranges);
  });

  async #ask(connection: Connection): Promise<SlotRange[]> {
    await connection.untilReady();
    const heard = connection.heard();
    const { connectTimeout } = this;
    const known = await within(connectTimeout, connection.client.call("cluster", "slots"), () => {
      connection.dropIfSilent(heard, connectTimeout);
      throw noAnswer(connectTimeout);
    });
    return slotRanges(known, hostOf(connection), this.#options.natMap);
  }

  #take(ranges: readonly SlotRange[]): void {
    const slots: (string | undefined)[] = Array.from({ length: slotCount });
    for (const { first, last, master } of ranges) {
      this.#connection(master);
      slots.fill(nameOf(master), first, last + 1);
    }
    if (slots.some((name, slot) => name !== this.#slots[slot])) this.version++;
    this.#slots = slots;
    this.#retire(new Set(slots));
  }

  /** Closes the connections to nodes without slots, after the time of their last calls. */
  #retire(masters: ReadonlySet<string | undefined>): void {
    for (const [name, connection] of this.connections) {
      if (masters.has(name)) continue;
      setTimeout(() => {
        if (this.#slots.includes(name) || this.connections.get(name) !== connection) return;
        this.connections.delete(name);
        void connection.close();
      }, this.#options.commandTimeout).unref();
    }
  }

  #connection(address: Address): Connection {
    const name = nameOf(address);
    const known = this.connections.get(name);
    if (known !== undefined) return known;
    const { library, options } = this.#options;
    const client = newClient(library, { ...options, ...address });
    return this.connect(name, client, client);
  }
}
