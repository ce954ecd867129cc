import { statfs } from "node:fs/promises";
import type * as kit from "cacheme/driver";
import { now } from "./clock.js";
import { mapEach } from "./disk.js";
import { Entries } from "./entries.js";
import { Folder } from "./folder.js";
import { bump, ensure } from "./generations.js";
import { acquire, extend, fill, leaseFrom, release } from "./leases.js";
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
  readonly #sweep: Sweep;

  readonly ping: Method<"ping"> = () => this.#folder.open();
  readonly touch: Method<"touch"> = (touches, call) =>
    mapEach(touches, call, ({ key, ttl }) => this.#entries.touch(key, ttl));
  readonly acquire: Method<"acquire"> = (requests, call) =>
    mapEach(requests, call, (request) => acquire(this.#entries, request, call));
  readonly fill: Method<"fill"> = (records, call) =>
    mapEach(records, call, (record) => fill(this.#entries, record));
  readonly release: Method<"release"> = (leases, call) =>
    mapEach(leases, call, (lease) => release(this.#entries, lease));
  readonly extend: Method<"extend"> = (leases, call) =>
    mapEach(leases, call, (lease) => extend(this.#entries, lease));
  readonly isToken: Method<"isToken"> = (token) => leaseFrom(token) !== undefined;
  readonly ensure: Method<"ensure"> = (tags, ttl, call) =>
    mapEach(tags, call, (tag) => ensure(this.#entries, tag, ttl, call));
  readonly bump: Method<"bump"> = (tags, ttl, call) =>
    mapEach(tags, call, (tag) => bump(this.#entries, tag, ttl, call));

  constructor({ folder: path, maxSize }: Settings) {
    this.#folder = new Folder(path);
    this.#bound = maxSize === undefined ? undefined : new SizeBound(this.#folder, maxSize);
    this.#entries = new Entries(this.#folder, this.#bound);
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

  write(records: readonly kit.StoredRecord[], call: Call): Promise<void> {
    return this.#entries.change(records, call, (record) =>
      this.#entries.write(record.key, keptOf(record), call),
    );
  }

  async remove(keys: readonly string[], call: Call): Promise<number> {
    let removed = 0;
    const items = keys.map((key) => ({ key }));
    await this.#entries.change(items, call, async ({ key }) => {
      if (await this.#entries.remove(key)) removed++;
    });
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
