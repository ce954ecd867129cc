import { randomUUID } from "node:crypto";
import {
  type ClaimRequest,
  type FailedClaim,
  type Journal,
  type JournalClaim,
  type JournalCount,
  type JournalDeadLetter,
  type JournalRecord,
  type StorageCall,
  StorageCalls,
} from "cacheme/driver";
import { Attempt, type Client } from "../client.js";
import { answersOf, type KeyCommand } from "../commands.js";
import type { RedisConnectionOptions } from "../connection-options.js";
import type { RedisClient, RedisClusterClient } from "../ioredis.js";
import { makeClient } from "../make-client.js";
import type { Script } from "../scripts.js";
import { advice, isAnswer, remedyFor, withoutArguments } from "../trouble.js";
import { type JournalSettings, journalSettings, type RedisJournalOptions } from "./options.js";
import * as scripts from "./scripts.js";

/** The most milliseconds that a time may be ahead, about 31 years. */
const longestTime = 1e12;

/** Scripts of Redis. Each call is one of them, which is atomic. The clock is the server's. */
class RedisJournal implements Journal {
  readonly label: string;
  readonly isDurable = true;
  readonly isShared = true;
  readonly #settings: JournalSettings;
  readonly #calls: StorageCalls;
  /** The name of this process in the consumer group. */
  readonly #consumer = randomUUID();
  #client: Client | undefined;

  constructor(settings: JournalSettings) {
    const { label, connect, commandTimeout, connectTimeout } = settings;
    this.label = label;
    this.#settings = settings;
    this.#calls = new StorageCalls({
      label,
      connect,
      commandTimeout,
      connectTimeout,
      clean: withoutArguments,
      advice,
      isAnswer,
      refusalAdvice: remedyFor,
      open: async () => {
        this.#client ??= await makeClient(settings);
        await this.#client.open();
      },
      shut: async () => await this.#client?.close(),
    });
  }

  async connect(): Promise<void> {
    await this.#calls.connect();
    await this.#run("a count", scripts.counts, []);
  }

  async append(records: readonly JournalRecord[], delay: number): Promise<void> {
    if (records.length === 0) return;
    const args = records.flatMap(({ key, node, bytes }) => [key, node, bufferOf(bytes)]);
    await this.#run("an append", scripts.append, [whole(delay), ...args]);
  }

  async claim({ nodes, count, duration, ahead }: ClaimRequest): Promise<readonly JournalClaim[]> {
    if (nodes.length === 0) return [];
    const token = randomUUID();
    const asked = [this.#consumer, token, count, whole(duration), whole(ahead)];
    const rows = await this.#rows("a claim", scripts.claim, [...asked, ...nodes]);
    return rows.map((row) => {
      const [, , , version, attempts] = row;
      return { ...recordOf(row), version: Number(version), attempts: Number(attempts), token };
    });
  }

  async extend(claims: readonly JournalClaim[], duration: number): Promise<void> {
    if (claims.length === 0) return;
    const args = claims.flatMap(({ key, token }) => [key, token]);
    await this.#run("an extension", scripts.extend, [whole(duration), ...args]);
  }

  async complete(claims: readonly JournalClaim[]): Promise<void> {
    if (claims.length === 0) return;
    const args = claims.flatMap(({ key, token, version }) => [key, token, version]);
    await this.#run("a completion", scripts.complete, args);
  }

  async fail(failures: readonly FailedClaim[]): Promise<void> {
    if (failures.length === 0) return;
    const args = failures.flatMap(({ claim: { key, token, version }, reason, delay }) => [
      key,
      token,
      version,
      delay === undefined ? "" : whole(delay),
      reason,
    ]);
    await this.#run("a failure", scripts.fail, args);
  }

  async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    const found = await this.#run("a read", scripts.read, keys);
    return keys.map((_, place) => {
      const bytes: unknown = Array.isArray(found) ? found[place] : undefined;
      return Buffer.isBuffer(bytes) ? bytes : undefined;
    });
  }

  async counts(): Promise<readonly JournalCount[]> {
    const rows = await this.#rows("a count", scripts.counts, []);
    return rows.map(([node, unsaved, deadLetters]) => ({
      node: String(node),
      unsaved: Number(unsaved),
      deadLetters: Number(deadLetters),
    }));
  }

  async deadLetters(limit: number): Promise<readonly JournalDeadLetter[]> {
    const rows = await this.#rows("a list", scripts.deadLetters, [limit]);
    return rows.map((row) => {
      const [, , , attempts, reason, at] = row;
      return { ...recordOf(row), attempts: Number(attempts), reason: String(reason), at: Number(at) };
    });
  }

  async requeue(keys: readonly string[]): Promise<number> {
    return keys.length === 0 ? 0 : Number(await this.#run("a requeue", scripts.requeue, keys));
  }

  async drop(keys: readonly string[]): Promise<number> {
    return keys.length === 0 ? 0 : Number(await this.#run("a removal", scripts.drop, keys));
  }

  async close(): Promise<void> {
    await this.#calls.close();
  }

  async #rows(what: string, run: Script, args: KeyCommand["args"]): Promise<readonly unknown[][]> {
    const answer = await this.#run(what, run, args);
    return Array.isArray(answer) ? answer : [];
  }

  #run(what: string, run: Script, args: KeyCommand["args"]): Promise<unknown> {
    const { base } = this.#settings;
    return this.#calls.run(what, async (call) => {
      if (this.#client === undefined) throw new Error("the journal was used before it was connected");
      const outcomes = await this.#client.each([{ run, key: base, args }], this.#attempt(call, this.#client));
      return answersOf(outcomes)[0];
    });
  }

  /** Drops the connections that are silent until the call's deadline. */
  #attempt(call: StorageCall, client: Client): Attempt {
    const refresh = (): void => void client.refresh().catch(() => {});
    const attempt = new Attempt(call, refresh);
    call.whenLate(() => {
      attempt.dropSilent(this.#settings.commandTimeout);
      refresh();
    });
    return attempt;
  }
}

function whole(milliseconds: number): number {
  return Math.ceil(Math.min(milliseconds, longestTime));
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function recordOf([key, node, bytes]: readonly unknown[]): JournalRecord {
  return { key: String(key), node: String(node), bytes: Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0) };
}

/**
 * A journal in Redis or Valkey: a stream with a consumer group for the values that are being
 * written, and a hash of the newest value of each key. All processes that reach the server share
 * it. A save is acknowledged when the server has it, so it is as durable as the server: give it
 * `appendonly yes`, and `appendfsync always` if no crash of its machine may lose a save. The server
 * must not evict keys (`maxmemory-policy noeviction`).
 *
 * @param target the server, as `redis()` takes it; of a Cluster the journal uses one slot
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once
 * @example
 * ```ts
 * await registerJournal("writes", redisJournal("redis://localhost:6379"), { nodes: [UserNode] });
 * ```
 */
export function redisJournal(
  target: string | RedisConnectionOptions | RedisClient | RedisClusterClient,
  options: RedisJournalOptions = {},
): Journal {
  return new RedisJournal(journalSettings(target, options));
}
