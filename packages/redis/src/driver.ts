import type * as kit from "cacheme/driver";
import { BulkCommands } from "./bulk.js";
import { OwnWrites } from "./bus/own-writes.js";
import { Attempt, ask, askOne, type Client } from "./client.js";
import { type KeyCommand, KeyCommands, type Outcome } from "./commands.js";
import { Connection } from "./connection.js";
import { EvictionWarning } from "./eviction.js";
import { infoOf, runOf } from "./info.js";
import type { RedisClient } from "./ioredis.js";
import { keyOptions, makeClient } from "./make-client.js";
import type { Settings } from "./options.js";
import { advice, isAnswer, isPassing, needs, remedyFor, withoutArguments } from "./trouble.js";

type Call = kit.StorageCall;

/** Keys that the server looks at for one page of a scan. The server does nothing else meanwhile. */
const keysPerPage = 1000;

/** The most times that one scan visits all servers while keys go on changing their servers. */
const mostTurns = 3;

/** Commands of Redis. Leases and generations are scripts of one key each. */
export class RedisDriver extends KeyCommands implements kit.Driver {
  readonly takesRepeatedKeys = { read: true, write: true } as const;
  readonly errors: kit.DriverErrors = { clean: withoutArguments, advice, isAnswer, remedyFor };
  readonly trial: kit.DriverTrial;
  readonly #settings: Settings;
  readonly #keyPrefix: string;
  readonly #bulk = new BulkCommands();
  readonly #eviction: EvictionWarning;
  #ownWrites: OwnWrites | undefined;
  #opened: Client | undefined;

  /** @param info asks the storage for its info */
  constructor(settings: Settings, info: () => Promise<kit.StorageInfo | undefined>) {
    super();
    const { keyPrefix, sendsInfo } = keyOptions(settings.target);
    this.#settings = settings;
    this.#keyPrefix = keyPrefix;
    this.#eviction = new EvictionWarning(settings.label, sendsInfo ? info : undefined);
    this.trial = {
      needs,
      passes: (error) => isPassing(settings.target, error),
      // A scan looks at every key of the server.
      scans: false,
      // The scripts read the clock. Proxies refuse the command TIME, and only `time()` needs it.
      readsTime: false,
    };
  }

  async open(): Promise<void> {
    this.#opened ??= await makeClient(this.#settings);
    await this.#opened.open();
  }

  async close(): Promise<void> {
    await this.#opened?.close();
  }

  /**
   * Changes of a Cluster's slots count, too: another node may have taken over on a connection that
   * was made before. Another storage's connections cost an INFO and nothing else.
   */
  get connections(): number {
    return Connection.made + (this.#opened?.version ?? 0);
  }

  async run(call: Call): Promise<kit.ServerRun> {
    const texts = await this.#ask(call, (client) => client.info());
    try {
      return runOf(texts);
    } catch (error) {
      // A node that has lost its role has no slots, but nothing else may say so.
      this.#client.refresh().catch(() => {});
      throw error;
    }
  }

  ping(call: Call): Promise<unknown> {
    return this.#ask(call, (client) => client.ping());
  }

  /**
   * TIME. In a Cluster one master answers for all: TIME has no key, so no node redirects it. One
   * node is enough because every process asks the same one while it is up, and because a Cluster
   * needs synchronized clocks anyway: an expiry is an absolute time, which a fail-over or a
   * migration hands to another node.
   */
  async time(call: Call): Promise<number> {
    return timeOf(await askOne(this.#client, this.#attempt(call), (client) => client.call("time")));
  }

  /**
   * MGET also for one key: if another program keeps a list or a hash under the key, GET answers an
   * error and MGET a miss.
   *
   * The buffers are views of what the socket read, up to 64 KiB each: a small one that is kept
   * keeps all of that. The core decodes them at once and keeps none, so nothing is copied here.
   */
  async read(keys: readonly string[], call: Call): Promise<readonly (Uint8Array | undefined)[]> {
    return this.bytesIn(await this.#client.read(keys, this.#attempt(call)), keys, call);
  }

  override async write(records: readonly kit.StoredRecord[], call: Call): Promise<void> {
    await super.write(records, call);
    this.#eviction.notice(records);
  }

  /** UNLINK frees the memory in the background. */
  remove(keys: readonly string[], call: Call): Promise<number> {
    this.#ownWrites?.removes(keys);
    return this.#client.remove(keys, this.#attempt(call));
  }

  /**
   * Each page is a SCAN of one server, one server after the other. A scan may miss keys that change
   * their servers meanwhile on both of them, so it visits all servers again then.
   */
  async *scan(pattern: kit.KeyPattern, page: kit.ScanPage): AsyncGenerator<readonly string[]> {
    await page(() => this.#client.refresh());
    for (let turn = 0; turn < mostTurns; turn++) {
      const version = this.#client.version;
      const masters = this.#client.masters();
      for (const master of masters) yield* this.#scan(master, pattern, page);
      if (masters.length === 1) return;
      await page(() => this.#client.refresh());
      if (this.#client.version === version) return;
    }
  }

  async info(call: Call): Promise<kit.StorageInfo> {
    return infoOf(await this.#ask(call, (client) => client.info()));
  }

  override async fill(
    records: readonly kit.LeasedRecord[],
    call: Call,
    isBulk?: boolean,
  ): Promise<readonly boolean[]> {
    const stored = await super.fill(records, call, isBulk);
    this.#eviction.notice(records);
    return stored;
  }

  /** Notes the writes from now on, for a bus over which the server reports all writes. */
  noteWrites(): OwnWrites {
    this.#ownWrites ??= new OwnWrites();
    return this.#ownWrites;
  }

  protected async each(commands: readonly KeyCommand[], call: Call, isBulk = false): Promise<Outcome[]> {
    this.#ownWrites?.sends(commands);
    const attempt = this.#attempt(call);
    return isBulk ? this.#bulk.each(commands, attempt, this.#client) : this.#client.each(commands, attempt);
  }

  async *#scan(
    master: Connection,
    pattern: kit.KeyPattern,
    page: kit.ScanPage,
  ): AsyncGenerator<readonly string[]> {
    // A Redis before 6.2.11 backtracks, and answers nobody meanwhile.
    const match = `${this.#keyPrefix.replace(/[*?[\]^\\]/g, "\\$&")}${pattern.outline.glob()}`;
    let cursor = "0";
    do {
      const [next, found] = await page(async (call) => {
        const { client } = await this.#attempt(call).on(master);
        return client.scan(cursor, "MATCH", match, "COUNT", keysPerPage);
      });
      cursor = next;
      yield found.map((key) => key.slice(this.#keyPrefix.length));
    } while (cursor !== "0");
  }

  #ask<T>(call: Call, question: (client: RedisClient) => Promise<T>): Promise<T[]> {
    return ask(this.#client, this.#attempt(call), question);
  }

  /** Drops the connections that are silent until the call's deadline. */
  #attempt(call: Call): Attempt {
    const refresh = (): void => void this.#client.refresh().catch(() => {});
    const attempt = new Attempt(call, refresh);
    call.whenLate(() => {
      attempt.dropSilent(this.#settings.commandTimeout);
      refresh();
    });
    return attempt;
  }

  get #client(): Client {
    if (this.#opened === undefined) throw new Error("the driver was called before it was opened");
    return this.#opened;
  }
}

/** The seconds and the microseconds of TIME, rounded as the scripts do. */
function timeOf(answer: unknown): number {
  if (!Array.isArray(answer)) throw new Error(`expected seconds and microseconds, got ${String(answer)}`);
  const [seconds, microseconds] = answer;
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
