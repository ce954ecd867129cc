import {
  checkKeys,
  type Generations,
  type KeyPattern,
  type Leases,
  type RemoteStorage,
  StorageError,
  type StorageInfo,
  type StoredRecord,
  type StoredTouch,
} from "cacheme/driver";
import { exchange, type Sender } from "./exchange.js";
import type { Network } from "./network.js";
import type { SimulatedServer } from "./simulated-server.js";

/** The most keys in a page of a scan. */
const pageSize = 1_000;

/** The operations that have no keys. A batch of any other one is no request if it is empty. */
const withoutKeys: ReadonlySet<string> = new Set(["time", "info", "scan"]);

/** The capabilities of a simulated storage beyond reading, writing and removing. */
export interface SimulatedCapabilities {
  /** Default: `true`. */
  readonly leases?: boolean | undefined;
  /** Whether a running lease can be extended. Default: `true`. */
  readonly extend?: boolean | undefined;
  /** Default: `true`. */
  readonly generations?: boolean | undefined;
}

/** One process's client of a server. Each call is a request in the cluster's network. */
export class SimulatedStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly leases: Leases | undefined;
  readonly generations: Generations | undefined;
  readonly lacks: { readonly leases?: string; readonly generations?: string };
  readonly #server: SimulatedServer;
  readonly #network: Network;
  readonly #sender: Sender;
  #isClosed = false;

  constructor(
    server: SimulatedServer,
    network: Network,
    sender: Sender,
    { leases = true, extend = true, generations = true }: SimulatedCapabilities = {},
  ) {
    this.#server = server;
    this.#network = network;
    this.#sender = sender;
    this.label = `simulated ${server.name} of process ${sender.process}`;
    this.leases = leases ? this.#leases(extend) : undefined;
    this.generations = generations ? this.#generations() : undefined;
    this.lacks = {
      ...(leases ? {} : { leases: "The simulation turned leases off." }),
      ...(generations ? {} : { generations: "The simulation turned generations off." }),
    };
  }

  async connect(): Promise<void> {
    this.#refuseIfClosed();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async ping(): Promise<void> {
    await this.time();
  }

  time(): Promise<number> {
    return this.#call("time", [], () => this.#server.time());
  }

  async info(): Promise<StorageInfo> {
    const records = await this.#call("info", [], () => this.#server.keys().length);
    return { server: "Simulated 1.0", records };
  }

  readMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#call("readMany", keys, () => this.#server.readMany(keys));
  }

  writeMany(records: readonly StoredRecord[]): Promise<void> {
    const copies = records.map(copyOf);
    return this.#call("writeMany", keysOf(copies), () => this.#server.writeMany(copies));
  }

  removeMany(keys: readonly string[]): Promise<number> {
    return this.#call("removeMany", keys, () => this.#server.removeMany(keys));
  }

  touchMany(touches: readonly StoredTouch[]): Promise<boolean[]> {
    return this.#call("touchMany", keysOf(touches), () => this.#server.touchMany(touches));
  }

  async *scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    const found = await this.#call("scan", [], () => this.#server.scan(pattern));
    for (let place = 0; place < found.length; place += pageSize) yield found.slice(place, place + pageSize);
  }

  #leases(extend: boolean): Leases {
    return {
      acquire: (requests) => this.#call("acquire", keysOf(requests), () => this.#server.acquire(requests)),
      fill: (records) => {
        const copies = records.map(copyOf);
        return this.#call("fill", keysOf(copies), () => this.#server.fill(copies));
      },
      release: (leases) => this.#call("release", keysOf(leases), () => this.#server.release(leases)),
      extend: extend
        ? (leases) => this.#call("extend", keysOf(leases), () => this.#server.extend(leases))
        : undefined,
    };
  }

  #generations(): Generations {
    return {
      ensure: (keys, ttl) => this.#call("ensure", keys, () => this.#server.ensure(keys, ttl)),
      bump: (keys, ttl) => this.#call("bump", keys, () => this.#server.bump(keys, ttl)),
    };
  }

  async #call<T>(operation: string, keys: readonly string[], carryOut: () => T): Promise<T> {
    this.#refuseIfClosed();
    checkKeys(keys, this.label);
    if (keys.length === 0 && !withoutKeys.has(operation)) return carryOut();
    return await exchange(this.#network, {
      sender: this.#sender,
      place: this.#server.name,
      operation,
      keys: [...keys],
      carryOut,
    });
  }

  #refuseIfClosed(): void {
    if (!this.#isClosed) return;
    throw new StorageError("CACHEME_CLOSED", `The storage ${this.label} is closed.`, {
      storage: this.#server.name,
    });
  }
}

function keysOf(items: readonly { readonly key: string }[]): string[] {
  return items.map(({ key }) => key);
}

/** Copies the bytes, because the caller may use their buffer again. */
function copyOf<R extends StoredRecord>(record: R): R {
  return { ...record, bytes: new Uint8Array(record.bytes) };
}
