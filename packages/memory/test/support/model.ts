import type { Removal } from "../../src/cache/removal.js";

interface Held {
  readonly value: number;
  readonly weight: number;
  readonly ttlEnd: number;
  readonly end: number;
  readonly count: number;
}

/** Options of both the cache and the model. */
export interface ModelOptions {
  readonly policy: "lru" | "fifo" | "lfu" | "tlfu";
  readonly maxSize: number;
  readonly maxWeight: number;
  readonly ttl: number;
  readonly idle: number;
}

/**
 * A naive cache with which `BoundedCache` must agree step by step. It is one Map in the order of
 * use (`fifo`: of insertion), and every decision is a search through the whole Map. The cache
 * decides when to free an expired entry. The model follows the listener, and checks that the entry
 * had really expired. The victims of `tlfu` are checked in a test of their own; all else is checked
 * here.
 */
export class Model {
  held: Map<string, Held> = new Map();
  readonly #options: ModelOptions;
  #newest: string | undefined;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  get(key: string, now: number): number | undefined {
    const held = this.live(key, now);
    if (held === undefined) return undefined;
    this.#use(key, held, now);
    return held.value;
  }

  live(key: string, now: number): Held | undefined {
    const held = this.held.get(key);
    return held !== undefined && now < held.end ? held : undefined;
  }

  set(key: string, value: number, weight: number, ttl: number | undefined, now: number): boolean {
    if (weight > this.#options.maxWeight) {
      this.#forget(key);
      return false;
    }
    const before = this.live(key, now);
    if (before === undefined) this.#forget(key);
    const ttlEnd = now + (ttl ?? this.#options.ttl);
    const entry = { value, weight, ttlEnd, end: 0, count: before?.count ?? 0 };
    this.held.set(key, entry);
    this.#use(key, entry, now);
    this.#newest = key;
    return true;
  }

  clear(): void {
    this.held.clear();
    this.#newest = undefined;
  }

  /** Follows a removal that the listener got. Throws if the model would have decided otherwise. */
  follow({ key, value, cause }: Removal<string, number>, now: number): void {
    const held = this.held.get(key);
    if (held === undefined || held.value !== value) throw new Error(`${key} = ${value} left twice: ${cause}`);
    if (cause === "expired" && now < held.end) throw new Error(`${key} left ${held.end - now} ms early`);
    if (cause === "size" && this.#options.policy !== "tlfu" && key !== this.victim())
      throw new Error(`${key} was evicted, not ${this.victim()}`);
    this.#forget(key);
  }

  victim(): string | undefined {
    const keys = [...this.held.keys()];
    if (this.#options.policy !== "lfu") return keys[0];
    const others = keys.filter((key) => key !== this.#newest);
    const count = (key: string) => this.held.get(key)?.count ?? 0;
    return others.reduce((best, key) => (count(key) < count(best) ? key : best), others[0] ?? keys[0] ?? "");
  }

  get weight(): number {
    return [...this.held.values()].reduce((sum, { weight }) => sum + weight, 0);
  }

  get isOverLimit(): boolean {
    return this.held.size > this.#options.maxSize || this.weight > this.#options.maxWeight;
  }

  #use(key: string, entry: Held, now: number): void {
    if (this.#options.policy !== "fifo") this.held.delete(key);
    const end = Math.min(entry.ttlEnd, now + this.#options.idle);
    this.held.set(key, { ...entry, end, count: entry.count + 1 });
  }

  #forget(key: string): void {
    this.held.delete(key);
    if (this.#newest === key) this.#newest = undefined;
  }
}
