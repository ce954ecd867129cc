import { statfs } from "node:fs/promises";
import {
  BatchError,
  checkKeys,
  type Generations,
  isError,
  type KeyPattern,
  type Leases,
  type RemoteStorage,
  type StorageCall,
  StorageCalls,
  StorageError,
  type StorageInfo,
  type StoredRecord,
  Sweeper,
} from "cacheme/driver";
import { after, now } from "./clock.js";
import { forEach, forEachAlone, readFile } from "./disk.js";
import { Entries } from "./entries.js";
import { Folder } from "./folder.js";
import { FileGenerations } from "./generations.js";
import { FileLeases } from "./leases.js";
import type { Settings } from "./options.js";
import { headingOf } from "./record.js";
import { SizeBound } from "./size-bound.js";
import { Sweep } from "./sweep.js";
import { isRunning, ticketsOf } from "./tickets.js";
import { adviceFor } from "./trouble.js";
import { foldersOf, hashesIn, leasesIn } from "./walk.js";

/** Keys in a page of a scan: so many files are opened for it. */
const scanPage = 1000;

/** Folders that are read for a scan in one go: with 100,000 keys as many as fill a page. */
const foldersAtOnce = 32;

/** Reads and writes, each a call with a deadline. */
export class FileStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly leases: Leases;
  readonly generations: Generations;
  readonly #folder: Folder;
  readonly #entries: Entries;
  readonly #calls: StorageCalls;

  constructor(settings: Settings) {
    const { label, folder: path, maxSize, sweepInterval } = settings;
    this.label = label;
    const folder = new Folder(path);
    const bound = maxSize === undefined ? undefined : new SizeBound(folder, maxSize);
    const sweep = new Sweep(folder, bound);
    const sweeper = new Sweeper(sweepInterval, () => sweep.step());
    this.#folder = folder;
    this.#entries = new Entries(folder, bound);
    this.#calls = new StorageCalls({
      ...settings,
      async open() {
        await folder.open().catch((error: unknown) => Promise.reject(notOpened(label, error)));
        sweeper.start();
      },
      async shut() {
        sweep.stop();
        await Promise.all([bound?.stop(), sweeper.stop()]);
      },
      advice: adviceFor,
      connectAdvice: "Check that the disk answers.",
    });
    this.leases = new FileLeases(label, this.#calls, this.#entries);
    this.generations = new FileGenerations(label, this.#calls, this.#entries);
  }

  connect(): Promise<void> {
    return this.#calls.connect();
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  async ping(): Promise<void> {
    await this.#calls.run("a ping", () => this.#folder.open());
  }

  /**
   * The machine's clock, which decides every expiry here. Machines that share a folder over a network each have their own:
   * the folder's server stamps the files, but none of these stamps decides anything.
   */
  async time(): Promise<number> {
    return this.#calls.run("a look at the clock", async () => now());
  }

  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    checkKeys(keys, this.label);
    const [first] = keys;
    if (first === undefined) return [];
    if (keys.length === 1) {
      const kept = await this.#calls.run("a read", () => this.#entries.read(first));
      return [kept?.bytes];
    }
    const found: (Uint8Array | undefined)[] = new Array(keys.length);
    await this.#calls.run("a read", (call) =>
      forEach(
        keys,
        () => call.isLate,
        async (key, index) => {
          found[index] = (await this.#entries.read(key))?.bytes;
        },
      ),
    );
    return found;
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    // The files of a batch are written side by side: of two records with one key only the later one is.
    const last = new Map(records.map((record) => [record.key, record]));
    const keys = [...last.keys()];
    checkKeys(keys, this.label);
    if (keys.length === 0) return;
    await this.#calls.run("a write", async (call) => {
      await this.#entries.endLeases(keys, () => call.isLate);
      await this.#each("a write", keys, call, async (key) => {
        const { bytes = new Uint8Array(), ttl, freshFor } = last.get(key) ?? {};
        const expires = after(ttl);
        const fresh = freshFor === undefined ? expires : after(freshFor);
        await this.#entries.write(key, { expires, fresh, bytes }, () => call.isLate);
      });
    });
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return 0;
    const once = [...new Set(keys)];
    let removed = 0;
    await this.#calls.run("a removal", async (call) => {
      await this.#entries.endLeases(once, () => call.isLate);
      await this.#each("a removal", once, call, async (key) => {
        if (await this.#entries.remove(key)) removed++;
      });
    });
    return removed;
  }

  /** First the leases, then the entries: a key whose lease is filled meanwhile is in one of both. */
  async *scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    const hashes = await this.#page(() => leasesIn(this.#folder));
    for (let from = 0; from < hashes.length; from += scanPage) {
      const paths = await this.#page(() => this.#runningTickets(hashes.slice(from, from + scanPage)));
      const keys = await this.#page(() => this.#keysIn(paths, pattern));
      if (keys.length > 0) yield keys;
    }
    const folders = await this.#page(() => foldersOf(this.#folder));
    let paths: string[] = [];
    for (let from = 0; from < folders.length; from += foldersAtOnce) {
      const some = folders.slice(from, from + foldersAtOnce);
      paths = paths.concat(await this.#page(() => pathsIn(some)));
      const isLast = from + foldersAtOnce >= folders.length;
      while (paths.length >= scanPage || (isLast && paths.length > 0)) {
        const page = paths.slice(0, scanPage);
        paths = paths.slice(scanPage);
        const keys = await this.#page(() => this.#keysIn(page, pattern));
        if (keys.length > 0) yield keys;
      }
    }
  }

  async info(): Promise<StorageInfo> {
    return this.#calls.run("an inquiry", async () => {
      const { bsize, blocks, bavail } = await statfs(this.#folder.path);
      const details = { folder: this.#folder.path, diskBytes: bsize * blocks, freeBytes: bsize * bavail };
      return { server: `node:fs of Node.js ${process.version} on ${process.platform}`, details };
    });
  }

  /** @throws BatchError that names the keys for which it failed; for all others it is done */
  async #each(
    action: string,
    keys: readonly string[],
    call: StorageCall,
    act: (key: string) => Promise<void>,
  ): Promise<void> {
    const { failed, error } = await forEachAlone(keys, () => call.isLate, act);
    if (failed.length === 0) return;
    const { message } = this.#calls.failed(`${action} of ${failed.length} of ${keys.length} keys`, error);
    throw new BatchError(message, new Set(failed), { cause: error });
  }

  #page<T>(read: () => Promise<T>): Promise<T> {
    return this.#calls.run("a page of a scan", read);
  }

  async #runningTickets(hashes: readonly string[]): Promise<string[]> {
    const paths: string[] = [];
    await forEach(
      hashes,
      () => false,
      async (hash) => {
        for (const ticket of await ticketsOf(this.#folder, hash)) {
          if (ticket.kind === "lease" && isRunning(ticket))
            paths.push(`${this.#folder.lease(hash)}/${ticket.name}`);
        }
      },
    );
    return paths;
  }

  /** The keys of those files that match and have not expired. */
  async #keysIn(paths: readonly string[], pattern: KeyPattern): Promise<string[]> {
    const keys: string[] = [];
    await forEach(
      paths,
      () => false,
      async (path) => {
        const heading = await readFile(path, () => 0, headingOf);
        if (heading !== undefined && heading.expires > now() && pattern.matches(heading.key))
          keys.push(heading.key);
      },
    );
    return keys;
  }
}

async function pathsIn(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => (await hashesIn(folder)).map((hash) => `${folder}/${hash}`)),
  );
  return found.flat();
}

function notOpened(label: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const cause = isError(error) ? error : new Error(String(error));
  const message = `${label} cannot be used: ${cause.message.replace(/\.$/, "")}. ${adviceFor(cause)}`;
  return new StorageError("CACHEME_CONNECT_FAILED", message, { cause });
}
