import {
  type Acquisition,
  type Driver,
  type DriverErrors,
  type DriverTrial,
  generationFrom,
  type HeldLease,
  KeyFailures,
  type KeyPattern,
  type LeaseAnswer,
  type LeasedRecord,
  type Made,
  type NewGeneration,
  type ScanPage,
  type StorageCall,
  type StorageInfo,
  type StoredRecord,
} from "cacheme/driver";
import { Attempt, answersOf, type Client } from "./client.js";
import {
  acquireCommands,
  fillCommands,
  generationCommands,
  type KeyCommand,
  leaseAnswers,
  releaseCommands,
  writeCommands,
} from "./commands.js";
import type { Connection } from "./connection.js";
import { EvictionWarning } from "./eviction.js";
import { infoOf } from "./info.js";
import { keyOptions, makeClient } from "./make-client.js";
import type { Settings } from "./options.js";
import { bytesOf, inDoubt } from "./record.js";
import { bumpGeneration, ensureGeneration, readInDoubt, type Script } from "./scripts.js";
import { advice, isAnswer, isPassing, needs, remedyFor, withoutArguments } from "./trouble.js";

/** Keys that the server looks at for one page of a scan. The server does nothing else meanwhile. */
const keysPerPage = 1000;

/** The most times that one scan visits all servers while keys go on changing their servers. */
const mostTurns = 3;

/** Commands of Redis. Leases and generations are scripts of one key each. */
export class RedisDriver implements Driver {
  readonly takesRepeatedKeys = { read: true, write: true } as const;
  readonly errors: DriverErrors = { clean: withoutArguments, advice, isAnswer, remedyFor };
  readonly trial: DriverTrial;
  readonly #settings: Settings;
  readonly #keyPrefix: string;
  readonly #eviction: EvictionWarning;
  #opened: Client | undefined;

  /** @param info asks the storage for its info */
  constructor(settings: Settings, info: () => Promise<StorageInfo | undefined>) {
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

  ping(call: StorageCall): Promise<unknown> {
    return this.#client.ask((client) => client.ping(), this.#attempt(call));
  }

  /**
   * TIME. In a Cluster one master answers for all: TIME has no key, so no node redirects it. One
   * node is enough because every process asks the same one while it is up, and because a Cluster
   * needs synchronized clocks anyway: an expiry is an absolute time, which a fail-over or a
   * migration hands to another node.
   */
  async time(call: StorageCall): Promise<number> {
    return timeOf(await this.#client.askOne((client) => client.call("time"), this.#attempt(call)));
  }

  /**
   * MGET also for one key: if another program keeps a list or a hash under the key, GET answers an
   * error and MGET a miss.
   *
   * The buffers are views of what the socket read, up to 64 KiB each: a small one that is kept
   * keeps all of that. The core decodes them at once and keeps none, so nothing is copied here.
   */
  async read(keys: readonly string[], call: StorageCall): Promise<readonly (Uint8Array | undefined)[]> {
    const attempt = this.#attempt(call);
    const found = await this.#client.read(keys, attempt);
    const values: Settled[] = [];
    const doubtful: number[] = [];
    // One pass: most of a read's cost here is the making of a view for each value.
    for (let index = 0; index < found.length; index++) {
      const bytes = bytesOf(found[index] ?? null);
      if (bytes === inDoubt) doubtful.push(index);
      values.push(bytes === inDoubt ? undefined : bytes);
    }
    if (doubtful.length > 0) await this.#settle(doubtful, keys, values, attempt);
    return values;
  }

  /** A pipeline of SET. */
  async write(records: readonly StoredRecord[], call: StorageCall): Promise<void> {
    const outcomes = await this.#client.each(writeCommands(records), this.#attempt(call));
    this.#eviction.notice(records);
    const failures = new KeyFailures(records.length);
    outcomes.forEach(([error], index) => {
      if (error !== null) failures.add(records[index]?.key ?? "", error);
    });
    failures.throwIfAny();
  }

  /** UNLINK frees the memory in the background. */
  remove(keys: readonly string[], call: StorageCall): Promise<number> {
    return this.#client.remove(keys, this.#attempt(call));
  }

  /**
   * Each page is a SCAN of one server, one server after the other. A scan may miss keys that change
   * their servers meanwhile on both of them, so it visits all servers again then.
   */
  async *scan(pattern: KeyPattern, page: ScanPage): AsyncGenerator<readonly string[]> {
    let before = await page(() => this.#client.masters());
    for (let turn = 0; turn < mostTurns; turn++) {
      for (const master of before.masters) yield* this.#scan(master, pattern, page);
      if (before.masters.length === 1) return;
      const after = await page(() => this.#client.masters());
      if (after.version === before.version) return;
      before = after;
    }
  }

  async info(call: StorageCall): Promise<StorageInfo> {
    return infoOf(await this.#client.ask((client) => client.info(), this.#attempt(call)));
  }

  async acquire(requests: readonly Acquisition[], call: StorageCall): Promise<readonly LeaseAnswer[]> {
    return leaseAnswers(requests, await this.#answers(acquireCommands(requests), call));
  }

  async fill(records: readonly LeasedRecord[], call: StorageCall): Promise<readonly boolean[]> {
    const answers = await this.#answers(fillCommands(records), call);
    this.#eviction.notice(records);
    return answers.map((answer) => answer === 1);
  }

  release(leases: readonly HeldLease[], call: StorageCall): Promise<unknown> {
    return this.#answers(releaseCommands(leases), call);
  }

  ensure(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made> {
    return this.#generations(ensureGeneration, tags, ttl, call);
  }

  /** On a full server the script itself removes the generation. */
  bump(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made> {
    return this.#generations(bumpGeneration, tags, ttl, call);
  }

  /** Asks the server about stale bytes under a lease that outlasts them. They are rare. */
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

  async *#scan(master: Connection, pattern: KeyPattern, page: ScanPage): AsyncGenerator<readonly string[]> {
    // A Redis before 6.2.11 backtracks, and answers nobody meanwhile.
    const match = `${escaped(this.#keyPrefix)}${pattern.outline.glob()}`;
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

  async #generations(
    script: Script,
    tags: readonly NewGeneration[],
    ttl: number | undefined,
    call: StorageCall,
  ): Promise<Made> {
    const answers = await this.#answers(generationCommands(script, tags, ttl), call);
    return answers.map((answer) => (Buffer.isBuffer(answer) ? generationFrom(answer) : undefined));
  }

  async #answers(commands: readonly KeyCommand[], call: StorageCall): Promise<unknown[]> {
    return answersOf(await this.#client.each(commands, this.#attempt(call)));
  }

  /** Drops the connections that are silent until the call's deadline. */
  #attempt(call: StorageCall): Attempt {
    const attempt = new Attempt(call);
    call.whenLate(() => {
      attempt.dropSilent(this.#settings.commandTimeout);
      this.#client.late();
    });
    return attempt;
  }

  get #client(): Client {
    if (this.#opened === undefined) throw new Error("the driver was called before it was opened");
    return this.#opened;
  }
}

type Settled = Buffer | undefined;

/** The seconds and the microseconds of TIME, rounded as the scripts do. */
function timeOf(answer: unknown): number {
  if (!Array.isArray(answer)) throw new Error(`expected seconds and microseconds, got ${String(answer)}`);
  const [seconds, microseconds] = answer;
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

function escaped(prefix: string): string {
  return prefix.replace(/[*?[\]^\\]/g, "\\$&");
}
