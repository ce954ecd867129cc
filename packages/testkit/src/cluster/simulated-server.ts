import type { Clock } from "cacheme";
import {
  type Generation,
  generationFrom,
  generationText,
  type HeldLease,
  type KeyPattern,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseExtension,
  type LeaseRequest,
  type StoredRecord,
  type StoredTouch,
} from "cacheme/driver";
import { type StoredState, StoredStates } from "./stored-state.js";

/** Faults to plant in a server, so that a test can show that it finds them. */
export type ServerFault =
  /** A fill stores its record whether or not its token is stored. */
  | "fill without token"
  /** A removal keeps the lease, so a load that began before it may still fill. */
  | "removal leaves the lease";

/**
 * A server of the cluster: its records, leases and generations, and its clock. Each operation is
 * carried out at once, when its request arrives. Storages of the processes send the requests.
 */
export class SimulatedServer {
  readonly name: string;
  readonly clock: Clock;
  /** The planted faults. Default: none. */
  readonly faults: ReadonlySet<ServerFault>;
  /** The number of restarts. */
  restarts = 0;
  /** Called when the server has stored a record. */
  onStore: ((record: StoredRecord) => void) | undefined;
  /** Called when the server has refused a record, because its token is not stored. */
  onRefuse: ((record: StoredRecord) => void) | undefined;
  #states: StoredStates = new StoredStates();
  #made = 0;

  constructor(name: string, clock: Clock, faults: Iterable<ServerFault> = []) {
    this.name = name;
    this.clock = clock;
    this.faults = new Set(faults);
  }

  /** Returns a copy of the stored data, for {@link restart}. */
  dump(): StoredStates {
    return this.#states.copy();
  }

  /**
   * Restarts the server from a dump, or empty. A server that comes back from an older dump brings
   * back what was removed meanwhile: Cacheme promises nothing about that.
   */
  restart(dump?: StoredStates): void {
    this.#states = dump?.copy() ?? new StoredStates();
    this.restarts += 1;
  }

  /** Returns what is stored under a key now. */
  stored(key: string): Readonly<StoredState> {
    return this.#states.get(key, this.#now());
  }

  /** Returns each key with bytes or a running lease. */
  keys(): string[] {
    const now = this.#now();
    return this.#states.keys().filter((key) => {
      const { bytes, token, leaseUntil } = this.#states.get(key, now);
      return bytes !== undefined || (token !== undefined && leaseUntil > now);
    });
  }

  time(): number {
    return Math.floor(this.#now());
  }

  readMany(keys: readonly string[]): (Uint8Array | undefined)[] {
    const now = this.#now();
    return keys.map((key) => this.#states.get(key, now).bytes);
  }

  writeMany(records: readonly StoredRecord[]): void {
    for (const record of records) this.#write(record);
  }

  removeMany(keys: readonly string[]): number {
    const now = this.#now();
    let count = 0;
    for (const key of keys) {
      const state = this.#states.get(key, now);
      if (state.bytes !== undefined) count += 1;
      if (this.faults.has("removal leaves the lease")) this.#states.set(key, { ...state, bytes: undefined });
      else this.#states.delete(key);
    }
    return count;
  }

  touchMany(touches: readonly StoredTouch[]): boolean[] {
    return touches.map(({ key, ttl }) => {
      const now = this.#now();
      const state = this.#states.get(key, now);
      if (state.bytes === undefined) return false;
      const until = Math.max(state.until, now + ttl);
      const freshUntil = state.freshUntil === state.until ? until : state.freshUntil;
      this.#states.set(key, { ...state, until, freshUntil });
      return true;
    });
  }

  scan(pattern: KeyPattern): string[] {
    return this.keys().filter((key) => pattern.matches(key));
  }

  acquire(requests: readonly LeaseRequest[]): LeaseAnswer[] {
    return requests.map((request) => this.#acquire(request));
  }

  fill(records: readonly LeasedRecord[]): boolean[] {
    return records.map((record) => {
      if (!this.#holds(record) && !this.faults.has("fill without token")) {
        this.onRefuse?.(record);
        return false;
      }
      this.#write(record);
      return true;
    });
  }

  release(leases: readonly HeldLease[]): boolean[] {
    return leases.map((lease) => {
      if (!this.#holds(lease)) return false;
      const state = this.#states.get(lease.key, this.#now());
      this.#states.set(lease.key, { ...state, token: undefined, leaseUntil: 0 });
      return true;
    });
  }

  extend(leases: readonly LeaseExtension[]): boolean[] {
    return leases.map((lease) => {
      if (!this.#holds(lease)) return false;
      const now = this.#now();
      this.#states.set(lease.key, { ...this.#states.get(lease.key, now), leaseUntil: now + lease.duration });
      return true;
    });
  }

  ensure(keys: readonly string[], ttl: number | undefined): Generation[] {
    return keys.map((key) => {
      const now = this.#now();
      const state = this.#states.get(key, now);
      const found = generationFrom(state.bytes);
      if (found === undefined) return this.#renew(key, ttl);
      const until = ttl === undefined ? Number.POSITIVE_INFINITY : now + ttl;
      if (until > state.until) this.#states.set(key, { ...state, until, freshUntil: until });
      return found;
    });
  }

  bump(keys: readonly string[], ttl: number | undefined): Generation[] {
    return keys.map((key) => this.#renew(key, ttl));
  }

  #acquire({ key, duration, steal = false, seen }: LeaseRequest): LeaseAnswer {
    const now = this.#now();
    const state = this.#states.get(key, now);
    if (!steal) {
      const { bytes } = state;
      if (bytes !== undefined && state.freshUntil > now && !isSame(bytes, seen)) {
        return { outcome: "fresh", bytes };
      }
      if (state.token !== undefined && state.leaseUntil > now) return { outcome: "held" };
    }
    const token = this.#newId("token");
    this.#states.set(key, { ...state, token, leaseUntil: now + duration });
    return { outcome: "granted", token, at: this.time() };
  }

  #holds({ key, token }: HeldLease): boolean {
    return this.#states.get(key, this.#now()).token === token;
  }

  #write(record: StoredRecord): void {
    const { key, bytes, ttl, freshFor } = record;
    const now = this.#now();
    const until = ttl === undefined ? Number.POSITIVE_INFINITY : now + Math.max(1, Math.floor(ttl));
    const freshUntil = freshFor === undefined ? until : now + freshFor;
    this.#states.set(key, { bytes, until, freshUntil, token: undefined, leaseUntil: 0 });
    this.onStore?.(record);
  }

  #renew(key: string, ttl: number | undefined): Generation {
    const before = generationFrom(this.#states.get(key, this.#now()).bytes)?.at ?? 0;
    const generation = { id: this.#newId("generation"), at: Math.max(before, this.time()) };
    this.#write({ key, bytes: Buffer.from(generationText(generation)), ttl });
    return generation;
  }

  /** Ids are never repeated, also after a restart. They are no secrets here, so a counter will do. */
  #newId(kind: string): string {
    this.#made += 1;
    return `${kind}-${this.name}-${this.#made}`;
  }

  #now(): number {
    return this.clock.now();
  }
}

function isSame(bytes: Uint8Array, seen: Uint8Array | undefined): boolean {
  return seen !== undefined && Buffer.compare(bytes, seen) === 0;
}
