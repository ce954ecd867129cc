import { statfs } from "node:fs/promises";
import type * as kit from "cacheme/driver";
import { KeyFailures } from "cacheme/driver";
import { now } from "./clock.js";
import { forEach, mapEach } from "./disk.js";
import { Entries } from "./entries.js";
import { Folder } from "./folder.js";
import { FileGenerations } from "./generations.js";
import { FileLeases, leaseFrom } from "./leases.js";
import type { Settings } from "./options.js";
import { keptOf } from "./record.js";
import { pagesOf } from "./scan.js";
import { SizeBound } from "./size-bound.js";
import { Sweep } from "./sweep.js";
import { adviceFor, connectAdviceFor } from "./trouble.js";

type Call = kit.StorageCall;
type Method<Name extends keyof kit.Driver> = NonNullable<kit.Driver[Name]>;

/** One file an entry. Reads and writes the files of a batch concurrently. */
export class FileDriver implements kit.Driver {
  readonly takesRepeatedKeys = { read: true } as const;
  readonly errors: kit.DriverErrors = { advice: adviceFor, connectAdvice: connectAdviceFor };
  readonly #folder: Folder;
  readonly #bound: SizeBound | undefined;
  readonly #entries: Entries;
  readonly #leases: FileLeases;
  readonly #generations: FileGenerations;
  readonly #sweep: Sweep;

  readonly ping: Method<"ping"> = () => this.#folder.open();
  readonly acquire: Method<"acquire"> = (requests, call) =>
    mapEach(requests, call, (request) => this.#leases.acquire(request, call));
  readonly fill: Method<"fill"> = (records, call) =>
    mapEach(records, call, (record) => this.#leases.fill(record));
  readonly release: Method<"release"> = (leases, call) =>
    mapEach(leases, call, (lease) => this.#leases.release(lease));
  readonly extend: Method<"extend"> = (leases, call) =>
    mapEach(leases, call, (lease) => this.#leases.extend(lease));
  readonly isToken: Method<"isToken"> = (token) => leaseFrom(token) !== undefined;
  readonly ensure: Method<"ensure"> = (tags, ttl, call) =>
    mapEach(tags, call, (tag) => this.#generations.ensure(tag, ttl, call));
  readonly bump: Method<"bump"> = (tags, ttl, call) =>
    mapEach(tags, call, (tag) => this.#generations.bump(tag, ttl, call));

  constructor({ folder: path, maxSize }: Settings) {
    this.#folder = new Folder(path);
    this.#bound = maxSize === undefined ? undefined : new SizeBound(this.#folder, maxSize);
    this.#entries = new Entries(this.#folder, this.#bound);
    this.#leases = new FileLeases(this.#entries);
    this.#generations = new FileGenerations(this.#entries);
    this.#sweep = new Sweep(this.#folder, this.#bound);
  }

  open(): Promise<void> {
    return this.#folder.open();
  }

  async close(): Promise<void> {
    await Promise.all([this.#bound?.stop(), this.#sweep.stop()]);
  }

  /**
   * The machine's clock decides every expiry. Machines that share a folder over a network each have
   * their own.
   */
  async time(): Promise<number> {
    return now();
  }

  async read(keys: readonly string[], call: Call): Promise<readonly (Uint8Array | undefined)[]> {
    const [first = ""] = keys;
    if (keys.length === 1) return [(await this.#entries.read(first))?.bytes];
    return mapEach(keys, call, async (key) => (await this.#entries.read(key))?.bytes);
  }

  async write(records: readonly kit.StoredRecord[], call: Call): Promise<void> {
    const keys = records.map(({ key }) => key);
    await this.#entries.endLeases(keys, call);
    const failures = new KeyFailures(keys.length);
    await forEach(records, call, (record) =>
      this.#entries
        .write(record.key, keptOf(record), call)
        .catch((error: unknown) => failures.add(record.key, error)),
    );
    failures.throwIfAny();
  }

  async remove(keys: readonly string[], call: Call): Promise<number> {
    let removed = 0;
    await this.#entries.endLeases(keys, call);
    const failures = new KeyFailures(keys.length);
    await forEach(keys, call, async (key) => {
      try {
        if (await this.#entries.remove(key)) removed++;
      } catch (error) {
        failures.add(key, error);
      }
    });
    failures.throwIfAny();
    return removed;
  }

  scan(_: kit.KeyPattern, page: kit.ScanPage): AsyncIterable<readonly string[]> {
    return pagesOf(this.#folder, page);
  }

  async info(): Promise<kit.StorageInfo> {
    const { bsize, blocks, bavail } = await statfs(this.#folder.path);
    const details = { folder: this.#folder.path, diskBytes: bsize * blocks, freeBytes: bsize * bavail };
    return { server: `node:fs of Node.js ${process.version} on ${process.platform}`, details };
  }

  sweep(): Promise<boolean> {
    return this.#sweep.step();
  }
}
