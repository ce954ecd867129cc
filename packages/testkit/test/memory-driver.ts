import { performance } from "node:perf_hooks";
import {
  type Acquisition,
  type Driver,
  generationFrom,
  generationText,
  type HeldLease,
  type KeyPattern,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseExtension,
  type NewGeneration,
  type ScanPage,
  type StoredRecord,
  type StoredTouch,
} from "cacheme/driver";
import type { Held } from "./reference-storage.js";

const scanPage = 500;

/** A driver with every capability, over a Map and one clock. It relies on all that `DriverStorage` promises to drivers. */
export class MemoryDriver implements Driver {
  readonly #held: Map<string, Held>;

  constructor(held: Map<string, Held>) {
    this.#held = held;
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}
  async ping(): Promise<void> {}

  async time(): Promise<number> {
    return Math.floor(this.#now());
  }

  async read(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.#find(key)?.bytes);
  }

  async write(records: readonly StoredRecord[]): Promise<void> {
    for (const record of records) this.#store(record);
  }

  async remove(keys: readonly string[]): Promise<number> {
    const there = keys.filter((key) => this.#find(key)?.bytes !== undefined);
    for (const key of keys) this.#held.delete(key);
    return there.length;
  }

  async touch(touches: readonly StoredTouch[]): Promise<boolean[]> {
    return touches.map(({ key, ttl }) => {
      const held = this.#find(key);
      if (held?.bytes === undefined) return false;
      const until = Math.max(held.until, this.#now() + ttl);
      if (held.freshUntil === held.until) held.freshUntil = until;
      held.until = until;
      return true;
    });
  }

  async *scan(_: KeyPattern, page: ScanPage): AsyncGenerator<string[]> {
    const keys = await page(async () => [...this.#held.keys()]);
    for (let from = 0; from < keys.length; from += scanPage) {
      yield page(async () =>
        keys.slice(from, from + scanPage).filter((key) => {
          const held = this.#find(key);
          return held?.bytes !== undefined || held?.token !== undefined;
        }),
      );
    }
  }

  async info(): Promise<{ server: string; records: number }> {
    return { server: "Memory 1.0", records: this.#held.size };
  }

  async acquire(requests: readonly Acquisition[]): Promise<LeaseAnswer[]> {
    return requests.map(({ key, duration, steal, seen, token }) => {
      const now = this.#now();
      const nothing = { bytes: undefined, until: 0, freshUntil: 0, token: undefined, leaseUntil: 0 };
      const held: Held = this.#find(key) ?? nothing;
      const { bytes } = held;
      const isFresh = bytes !== undefined && held.freshUntil > now;
      if (!steal && isFresh && !(seen && Buffer.from(seen).equals(bytes))) return { outcome: "fresh", bytes };
      if (!steal && held.token !== undefined) return { outcome: "held" };
      held.token = token;
      held.leaseUntil = now + duration;
      this.#held.set(key, held);
      return { outcome: "granted", token, at: Math.floor(now) };
    });
  }

  async fill(records: readonly LeasedRecord[]): Promise<boolean[]> {
    return records.map((record) => {
      if (this.#find(record.key)?.token !== record.token) return false;
      this.#store(record);
      return true;
    });
  }

  async release(leases: readonly HeldLease[]): Promise<boolean[]> {
    return leases.map((lease) => {
      const held = this.#leased(lease);
      if (held !== undefined) held.token = undefined;
      return held !== undefined;
    });
  }

  async extend(leases: readonly LeaseExtension[]): Promise<boolean[]> {
    return leases.map((lease) => {
      const held = this.#leased(lease);
      if (held !== undefined) held.leaseUntil = this.#now() + lease.duration;
      return held !== undefined;
    });
  }

  async ensure(tags: readonly NewGeneration[], ttl: number | undefined) {
    return tags.map((tag) => {
      const held = this.#find(tag.key);
      const found = generationFrom(held?.bytes);
      if (held === undefined || found === undefined) return this.#make(tag, ttl);
      held.until = Math.max(held.until, this.#now() + (ttl ?? Number.POSITIVE_INFINITY));
      return found;
    });
  }

  async bump(tags: readonly NewGeneration[], ttl: number | undefined) {
    return tags.map((tag) => this.#make(tag, ttl));
  }

  #make({ key, id }: NewGeneration, ttl: number | undefined) {
    const made = { id, at: Math.floor(this.#now()) };
    this.#store({ key, bytes: Buffer.from(generationText(made)), ttl });
    return made;
  }

  #store({ key, bytes, ttl, freshFor }: StoredRecord): void {
    const now = this.#now();
    const until = now + (ttl ?? Number.POSITIVE_INFINITY);
    const freshUntil = freshFor === undefined ? until : now + freshFor;
    this.#held.set(key, {
      bytes: Uint8Array.from(bytes),
      until,
      freshUntil,
      token: undefined,
      leaseUntil: 0,
    });
  }

  /** Returns the record of a key whose lease has the token. */
  #leased({ key, token }: HeldLease): Held | undefined {
    const held = this.#find(key);
    return held?.token === token ? held : undefined;
  }

  #find(key: string): Held | undefined {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    if (held.until <= this.#now()) held.bytes = undefined;
    if (held.leaseUntil <= this.#now()) held.token = undefined;
    return held;
  }

  #now(): number {
    return performance.timeOrigin + performance.now();
  }
}
