import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import {
  checkKeys,
  type Generation,
  type Generations,
  generationFrom,
  generationText,
  type HeldLease,
  type KeyPattern,
  type LeaseAnswer,
  type LeaseExtension,
  type LeaseRequest,
  type Leases,
  type RemoteStorage,
  StorageError,
  type StoredRecord,
  type StoredTouch,
} from "cacheme/driver";

/** A key's bytes and lease. */
export interface Held {
  bytes: Uint8Array | undefined;
  until: number;
  freshUntil: number;
  token: string | undefined;
  leaseUntil: number;
}

/**
 * The simplest storage that keeps the contract: a Map, one clock, no server. Several storages may
 * share one Map.
 */
export class ReferenceStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label = "reference";
  readonly leases: Leases;
  readonly generations: Generations;
  readonly held: Map<string, Held>;
  #closed = false;

  constructor(held: Map<string, Held> = new Map()) {
    this.held = held;
    this.leases = {
      acquire: async (requests) => {
        this.check(requests.map(({ key }) => key));
        return requests.map((request) => this.acquire(request));
      },
      fill: async (records) => {
        this.check(records.map(({ key }) => key));
        return records.map((record) => this.fill(record, record.token));
      },
      release: async (leases) => {
        this.check(leases.map(({ key }) => key));
        return leases.map((lease) => this.release(lease));
      },
      extend: async (leases) => {
        this.check(leases.map(({ key }) => key));
        return leases.map((lease) => this.extend(lease));
      },
    };
    this.generations = {
      ensure: async (keys, ttl) => {
        this.check(keys);
        return keys.map((key) => this.ensure(key, ttl));
      },
      bump: async (keys, ttl) => {
        this.check(keys);
        return keys.map((key) => this.bump(key, ttl));
      },
    };
  }

  async connect(): Promise<void> {
    this.check([]);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  async ping(): Promise<void> {
    this.check([]);
  }

  async time(): Promise<number> {
    this.check([]);
    return Math.floor(this.now());
  }

  async info(): Promise<{ server: string; records: number }> {
    return { server: "Reference 1.0", records: this.held.size };
  }

  async readMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    this.check(keys);
    return keys.map((key) => this.find(key)?.bytes);
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    this.check(records.map(({ key }) => key));
    for (const record of records) this.write(record);
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    this.check(keys);
    let count = 0;
    for (const key of keys) {
      if (this.find(key)?.bytes !== undefined) count++;
      this.held.delete(key);
    }
    return count;
  }

  async touchMany(touches: readonly StoredTouch[]): Promise<boolean[]> {
    this.check(touches.map(({ key }) => key));
    return touches.map((touch) => this.touch(touch));
  }

  protected touch({ key, ttl }: StoredTouch): boolean {
    const held = this.find(key);
    if (held?.bytes === undefined) return false;
    const until = Math.max(held.until, this.now() + ttl);
    if (held.freshUntil === held.until) held.freshUntil = until;
    held.until = until;
    return true;
  }

  async *scan(pattern: KeyPattern): AsyncGenerator<string[]> {
    this.check([]);
    let page: string[] = [];
    for (const key of [...this.held.keys()]) {
      const held = this.find(key);
      if (held === undefined || (held.bytes === undefined && held.token === undefined)) continue;
      if (pattern.matches(key)) page.push(key);
      if (page.length < 1000) continue;
      yield page;
      page = [];
    }
    yield page;
  }

  protected now(): number {
    return performance.timeOrigin + performance.now();
  }

  protected find(key: string): Held | undefined {
    const held = this.held.get(key);
    if (held === undefined) return undefined;
    if (held.until <= this.now()) held.bytes = undefined;
    if (held.leaseUntil <= this.now()) held.token = undefined;
    return held;
  }

  protected write({ key, bytes, ttl, freshFor }: StoredRecord): void {
    const now = this.now();
    const until = ttl === undefined ? Number.POSITIVE_INFINITY : now + Math.max(1, Math.floor(ttl));
    const freshUntil = freshFor === undefined ? until : now + freshFor;
    this.held.set(key, { bytes: Uint8Array.from(bytes), until, freshUntil, token: undefined, leaseUntil: 0 });
  }

  protected acquire({ key, duration, steal, seen }: LeaseRequest): LeaseAnswer {
    const now = this.now();
    const held = this.find(key) ?? {
      bytes: undefined,
      until: 0,
      freshUntil: 0,
      token: undefined,
      leaseUntil: 0,
    };
    const { bytes } = held;
    const isFresh = bytes !== undefined && held.freshUntil > now;
    if (!steal && isFresh && !(seen && Buffer.from(seen).equals(bytes))) return { outcome: "fresh", bytes };
    if (!steal && held.token !== undefined) return { outcome: "held" };
    const token = randomUUID();
    this.held.set(key, { ...held, token, leaseUntil: now + duration });
    return { outcome: "granted", token, at: Math.floor(now) };
  }

  protected fill(record: StoredRecord, token: string): boolean {
    if (this.find(record.key)?.token !== token) return false;
    this.write(record);
    return true;
  }

  protected release({ key, token }: HeldLease): boolean {
    const held = this.find(key);
    if (held?.token !== token) return false;
    held.token = undefined;
    return true;
  }

  protected extend({ key, token, duration }: LeaseExtension): boolean {
    const held = this.find(key);
    if (held?.token !== token) return false;
    held.leaseUntil = this.now() + duration;
    return true;
  }

  protected ensure(key: string, ttl: number | undefined): Generation {
    const found = generationFrom(this.find(key)?.bytes);
    if (found === undefined) return this.bump(key, ttl);
    const held = this.held.get(key)!;
    held.until = Math.max(held.until, ttl === undefined ? Number.POSITIVE_INFINITY : this.now() + ttl);
    return found;
  }

  protected bump(key: string, ttl: number | undefined): Generation {
    const before = generationFrom(this.find(key)?.bytes)?.at ?? 0;
    const generation = { id: randomUUID(), at: Math.max(before, Math.floor(this.now())) };
    this.write({ key, bytes: Buffer.from(generationText(generation)), ttl });
    return generation;
  }

  private check(keys: readonly string[]): void {
    if (this.#closed) throw new StorageError("CACHEME_CLOSED", "The storage reference is closed.");
    this.checkKeys(keys);
  }

  protected checkKeys(keys: readonly string[]): void {
    checkKeys(keys, this.label);
  }
}
