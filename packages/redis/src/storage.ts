import {
  BatchError,
  checkKeys,
  checkKeysOf,
  type Generations,
  type KeyPattern,
  type Leases,
  type RemoteStorage,
  type StorageInfo,
  type StoredRecord,
  shownKey,
} from "cacheme/driver";
import { answersOf, Calls, withoutArguments } from "./calls.js";
import type { Attempt, Client } from "./client.js";
import { type KeyCommand, readInDoubt, storeForEver } from "./commands.js";
import type { Connection } from "./connection.js";
import { EvictionWarning } from "./eviction.js";
import { RedisGenerations } from "./generations.js";
import { infoOf } from "./info.js";
import { RedisLeases } from "./leases.js";
import type { Settings } from "./options.js";
import { bytesOf, freshForOf, inDoubt, packed, wholeTtl } from "./record.js";

/** Keys that the server looks at for one page of a scan. It does nothing else meanwhile. */
const keysPerPage = 1000;

/** Turns of all servers in one scan, where keys go on changing servers. */
const mostTurns = 3;

/** What the storage is made with beside its settings. */
export interface StorageParts {
  readonly settings: Settings;
  readonly client: Client;
  /** What the client puts before every key by itself, though not before a pattern. */
  readonly keyPrefix: string;
}

/** Reads, writes, removals and scans, each with a deadline. */
export class RedisStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly leases: Leases;
  readonly generations: Generations;
  readonly #client: Client;
  readonly #keyPrefix: string;
  readonly #calls: Calls;
  readonly #eviction: EvictionWarning;

  constructor({ settings, client, keyPrefix }: StorageParts) {
    this.label = settings.label;
    this.#client = client;
    this.#keyPrefix = keyPrefix;
    this.#calls = new Calls(settings, client, this);
    this.#eviction = new EvictionWarning(this.label, this.#calls, client);
    this.leases = new RedisLeases(this.label, this.#calls, client, this.#eviction);
    this.generations = new RedisGenerations(this.label, this.#calls, client);
  }

  connect(): Promise<void> {
    return this.#calls.connect();
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  async ping(): Promise<void> {
    await this.#calls.make("a PING", (attempt) => this.#client.ask((client) => client.ping(), attempt));
  }

  /**
   * TIME. In a Cluster one master answers for all: TIME has no key, so no node sends it elsewhere. One node is enough
   * because every process asks the same one while it is up, and because a Cluster needs clocks that agree anyway: an expiry
   * is an absolute time, which a failover or a migration hands to another node.
   */
  async time(): Promise<number> {
    return this.#calls.make("a look at the clock", async (attempt) =>
      timeOf(await this.#client.askOne((client) => client.call("time"), attempt)),
    );
  }

  /**
   * MGET also for one key: GET answers an error where another program keeps a list or a hash under the key, MGET a miss.
   *
   * The buffers are views of what the socket read, up to 64 KiB each: a small one that is kept keeps all of that. The
   * core decodes them at once and keeps none, so nothing is copied here.
   */
  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return [];
    return this.#calls.make("a read", async (attempt) => {
      const found = await this.#client.read(keys, attempt);
      const values: Settled[] = [];
      const doubtful: number[] = [];
      // One pass: most of what a read costs here is the making of a view for each value.
      for (let index = 0; index < found.length; index++) {
        const bytes = bytesOf(found[index] ?? null);
        if (bytes === inDoubt) doubtful.push(index);
        values.push(bytes === inDoubt ? undefined : bytes);
      }
      if (doubtful.length > 0) await this.#settle(doubtful, keys, values, attempt);
      return values;
    });
  }

  /** SET in a pipeline. A partly refused batch names the keys that were refused; the others are stored. */
  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    checkKeysOf(records, this.label);
    if (records.length === 0) return;
    const commands = written(records);
    const outcomes = await this.#calls.make("a write", (attempt) => this.#client.each(commands, attempt));
    this.#eviction.notice(records);
    const refused = outcomes.flatMap(([error], index) =>
      error === null ? [] : [{ key: records[index]?.key ?? "", cause: withoutArguments(error) }],
    );
    if (refused.length > 0) throw this.#notStored(refused, records.length);
  }

  /** UNLINK gives the memory back in the background. */
  async removeMany(keys: readonly string[]): Promise<number> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return 0;
    return this.#calls.make("a removal", (attempt) => this.#client.remove(keys, attempt));
  }

  /**
   * Each page is a SCAN of one server, and the servers' turns come one after the other. Keys that changed servers meanwhile may
   * have been passed by on both, so all servers have another turn then.
   */
  async *scan(pattern: KeyPattern): AsyncIterable<readonly string[]> {
    let before = await this.#masters();
    for (let turn = 0; turn < mostTurns; turn++) {
      for (const master of before.masters) yield* this.#scan(master, pattern);
      if (before.masters.length === 1) return;
      const after = await this.#masters();
      if (after.version === before.version) return;
      before = after;
    }
  }

  async info(): Promise<StorageInfo> {
    return infoOf(
      await this.#calls.make("INFO", (attempt) => this.#client.ask((client) => client.info(), attempt)),
    );
  }

  #masters(): ReturnType<Client["masters"]> {
    return this.#calls.make("a scan", () => this.#client.masters());
  }

  async *#scan(master: Connection, pattern: KeyPattern): AsyncIterable<readonly string[]> {
    // A Redis before 6.2.11 backtracks, and answers nobody meanwhile.
    const match = `${escaped(this.#keyPrefix)}${pattern.outline.glob()}`;
    let cursor = "0";
    do {
      const [next, found] = await this.#calls.make("a scan", async (attempt) => {
        const { client } = await attempt.on(master);
        return client.scan(cursor, "MATCH", match, "COUNT", keysPerPage);
      });
      cursor = next;
      const keys = found.map((key) => this.#bare(key)).filter((key) => pattern.matches(key));
      if (keys.length > 0) yield keys;
    } while (cursor !== "0");
  }

  #bare(key: string): string {
    return key.slice(this.#keyPrefix.length);
  }

  /** Stale bytes under a lease that outlasts them: rare, and worth a second question to the server, which knows the time. */
  async #settle(
    doubtful: readonly number[],
    keys: readonly string[],
    values: Settled[],
    attempt: Attempt,
  ): Promise<void> {
    const commands = doubtful.map((index) => ({ run: readInDoubt, key: keys[index] ?? "", args: [] }));
    const answers = answersOf(await this.#client.each(commands, attempt));
    for (const [position, index] of doubtful.entries()) {
      const answer = answers[position];
      values[index] = Buffer.isBuffer(answer) ? answer : undefined;
    }
  }

  #notStored(refused: readonly { readonly key: string; readonly cause: Error }[], total: number): BatchError {
    const keys = refused.map(({ key }) => key);
    const shown = keys.slice(0, 5).map(shownKey);
    const named = keys.length > 5 ? `${shown.join(", ")} and ${keys.length - 5} more` : shown.join(", ");
    const cause = refused[0]?.cause ?? new Error("no words");
    return new BatchError(
      `${this.label}: ${keys.length} of ${total} records may not be stored: ${named}. The first one's error: ${cause.message}.`,
      new Set(keys),
      { cause },
    );
  }
}

type Settled = Buffer | undefined;

function written(records: readonly StoredRecord[]): KeyCommand[] {
  const whole = records.map(({ key, bytes, ttl, freshFor }) => ({
    key,
    bytes,
    ttl: wholeTtl(ttl),
    freshFor,
  }));
  const packs = packed(whole);
  return whole.map((record, index) => {
    const { key, ttl } = record;
    const pack = packs[index] ?? Buffer.alloc(0);
    const freshFor = freshForOf(record);
    if (freshFor !== undefined) return { run: storeForEver, key, args: [pack, freshFor] };
    return { run: "set", key, args: ttl === undefined ? [pack] : [pack, "PX", ttl] };
  });
}

/** The seconds and the microseconds of TIME, as the scripts round them. */
function timeOf(answer: unknown): number {
  if (!Array.isArray(answer)) throw new Error("the server does not say what time it is");
  const [seconds, microseconds] = answer;
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

function escaped(prefix: string): string {
  return prefix.replace(/[*?[\]^\\]/g, "\\$&");
}
