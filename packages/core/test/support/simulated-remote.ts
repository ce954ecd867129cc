import type { Clock } from "../../src/clock.js";
import type { RemoteStorage, StoredRecord, StoredTouch } from "../../src/storage/remote-storage.js";

/** A call of a storage's method. */
export interface RemoteCall {
  readonly operation:
    | "read"
    | "write"
    | "remove"
    | "touch"
    | "time"
    | "ping"
    | "acquire"
    | "fill"
    | "release"
    | "extend"
    | "ensure"
    | "bump"
    | "scan";
  readonly keys: readonly string[];
}

/**
 * A remote storage that follows its contract in memory and counts its round trips. A test decides
 * when a request is carried out and answered, or that it fails. Drivers are tested on real servers;
 * this is for schedules that no server can repeat.
 */
export class SimulatedRemote implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly calls: RemoteCall[] = [];
  readonly records: Map<
    string,
    { readonly bytes: Uint8Array; readonly until: number; readonly freshUntil?: number }
  >;
  /** The leases by key, for the clients that support them. */
  readonly held: Map<string, { readonly token: string; readonly until: number }>;
  readonly #clock: Clock;
  /**
   * Milliseconds by which the storage's own clock is ahead of its given clock; negative if behind.
   */
  skew = 0;
  /** Called before a request is carried out, and again before it is answered; may wait or throw. */
  gate: (operation: RemoteCall["operation"], moment: "request" | "answer") => Promise<void> | void = () => {};
  closed = 0;
  connected = 0;

  /** @param sameServer another client of this client's server */
  constructor(clock: Clock, sameServer?: SimulatedRemote) {
    this.#clock = clock;
    this.records = sameServer?.records ?? new Map();
    this.held = sameServer?.held ?? new Map();
    // Storages of one label count as one.
    this.label = sameServer === undefined ? "simulated" : `${sameServer.label}, again`;
  }

  async connect(): Promise<void> {
    this.connected += 1;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  async ping(): Promise<void> {
    await this.carryOut("ping", [], () => {});
  }

  async time(): Promise<number> {
    return await this.carryOut("time", [], () => Math.floor(this.now()));
  }

  async readMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return await this.carryOut("read", keys, () => {
      const now = this.now();
      return keys.map((key) => {
        const record = this.records.get(key);
        return record !== undefined && record.until > now ? record.bytes : undefined;
      });
    });
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    const keys = records.map((record) => record.key);
    await this.carryOut("write", keys, () => {
      for (const record of records) this.store(record);
    });
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    return await this.carryOut("remove", keys, () => {
      for (const key of keys) this.held.delete(key);
      return keys.filter((key) => this.records.delete(key)).length;
    });
  }

  async touchMany(touches: readonly StoredTouch[]): Promise<boolean[]> {
    const keys = touches.map(({ key }) => key);
    return await this.carryOut("touch", keys, () => touches.map((touch) => this.touch(touch)));
  }

  protected touch({ key, ttl }: StoredTouch): boolean {
    const record = this.records.get(key);
    const now = this.now();
    if (record === undefined || record.until <= now) return false;
    this.records.set(key, { ...record, until: Math.max(record.until, now + ttl) });
    return true;
  }

  /** Returns how many calls of one kind there were. */
  count(operation: RemoteCall["operation"]): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  /** Stores the record, and ends its lease. */
  protected store({ key, bytes, ttl = Number.POSITIVE_INFINITY, freshFor = ttl }: StoredRecord): void {
    this.held.delete(key);
    const now = this.now();
    this.records.set(key, { bytes: bytes.slice(), until: now + ttl, freshUntil: now + freshFor });
  }

  /** The time on the storage's clock. */
  protected now(): number {
    return this.#clock.now() + this.skew;
  }

  protected async carryOut<T>(
    operation: RemoteCall["operation"],
    keys: readonly string[],
    body: () => T,
  ): Promise<T> {
    this.calls.push({ operation, keys });
    await this.gate(operation, "request");
    const answer = body();
    await this.gate(operation, "answer");
    return answer;
  }
}
