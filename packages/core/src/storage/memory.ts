import type { Cached } from "../entry/entry.js";
import { ConfigurationError } from "../errors.js";
import { deepFreeze } from "../freeze.js";
import type { LocalEntry, LocalStorage } from "./local-storage.js";

/** The settings of {@link memory}. */
export interface MemoryOptions {
  /** How many entries are kept at most, of all node classes together; beyond that one is evicted. Default: 10,000. */
  readonly maxSize?: number | undefined;
  /**
   * What readers are given. `"frozen"`: the stored object itself, its plain objects and arrays frozen, so that a reader who
   * changes it is told by an error. `"shared"`: the stored object itself, as it is; whoever changes it changes it for all.
   * `"cloned"`: a structured clone for each read. Default: `"frozen"`, and `"shared"` where NODE_ENV is `production`, since
   * frozen arrays are slower to iterate.
   */
  readonly values?: "frozen" | "shared" | "cloned" | undefined;
}

/**
 * A bounded storage in this process. Values are held by reference; entries are given back when their ttl is over.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 * @example
 * ```ts
 * await registerStorage("local", memory({ maxSize: 50_000 }));
 * ```
 */
export function memory(options: MemoryOptions = {}): LocalStorage {
  return new MemoryStorage(options);
}

class MemoryStorage implements LocalStorage {
  readonly kind = "local";
  readonly label: string;
  readonly #maxSize: number;
  readonly #entries = new Map<string, LocalEntry>();
  readonly #keep: (value: unknown) => unknown;
  readonly #give: ((entry: LocalEntry) => LocalEntry) | undefined;

  constructor({ maxSize = 10_000, values }: MemoryOptions) {
    this.#maxSize = maxSize;
    const mode = values ?? (process.env.NODE_ENV === "production" ? "shared" : "frozen");
    if (!["frozen", "shared", "cloned"].includes(mode))
      throw new ConfigurationError("CACHEME_INVALID_OPTION", "x");
    this.label = `memory (${maxSize} entries)`;
    this.#keep = mode === "frozen" ? deepFreeze : mode === "cloned" ? structuredClone : (value) => value;
    this.#give =
      mode === "cloned" ? (entry) => ({ ...entry, value: structuredClone(entry.value) }) : undefined;
  }

  read(space: number, key: string): LocalEntry | undefined {
    const id = `${space} ${key}`;
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return this.#give === undefined ? entry : this.#give(entry);
  }

  peek(space: number, key: string): LocalEntry | undefined {
    return this.#entries.get(`${space} ${key}`);
  }

  write(space: number, key: string, cached: Cached): void {
    const id = `${space} ${key}`;
    this.#entries.delete(id);
    this.#entries.set(id, { ...cached, value: this.#keep(cached.value), hits: 0 });
    if (this.#entries.size <= this.#maxSize) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  remove(space: number, key: string): boolean {
    return this.#entries.delete(`${space} ${key}`);
  }

  close(): void {
    this.#entries.clear();
  }
}
