import { createHash, randomUUID } from "node:crypto";
import type {
  ClaimRequest,
  FailedClaim,
  Journal,
  JournalClaim,
  JournalCount,
  JournalDeadLetter,
  JournalRecord,
} from "cacheme/driver";
import { byteaArray, numberArray, textArray } from "../binary-array.js";
import type { Row } from "../client.js";
import type { PostgresConnectionOptions } from "../options.js";
import type { PostgresPool } from "../pool.js";
import { type JournalCommands, journalCommands } from "./commands.js";
import { JournalClient } from "./journal-client.js";
import { type JournalSettings, journalSettings, type PostgresJournalOptions } from "./options.js";

/** PostgreSQL refuses an index entry of more than about 2,700 bytes. */
const longestKey = 1800;

/** The most milliseconds that a time may be ahead, about 31 years. */
const longestTime = 1e12;

/** Statements of PostgreSQL. Each call is one of them. The clock is the server's. */
class PostgresJournal implements Journal {
  readonly label: string;
  readonly isDurable = true;
  readonly isShared = true;
  readonly #client: JournalClient;
  readonly #sql: JournalCommands;

  constructor(settings: JournalSettings) {
    this.label = settings.label;
    this.#client = new JournalClient(settings);
    this.#sql = journalCommands(settings.table);
  }

  async connect(): Promise<void> {
    await this.#client.connect();
  }

  async append(records: readonly JournalRecord[], delay: number): Promise<void> {
    if (records.length === 0) return;
    await this.#client.ask("an append", this.#sql.append, [
      textArray(records.map(({ key }) => idOf(key))),
      textArray(records.map(({ key }) => (idOf(key) === key ? undefined : key))),
      textArray(records.map(({ node }) => node)),
      byteaArray(records.map(({ bytes }) => bytes)),
      Math.min(delay, longestTime),
    ]);
  }

  async claim({ nodes, count, duration, ahead }: ClaimRequest): Promise<readonly JournalClaim[]> {
    if (nodes.length === 0) return [];
    const token = randomUUID();
    const asked = [textArray(nodes), Math.min(ahead, longestTime), count, token, duration];
    const rows = await this.#client.ask("a claim", this.#sql.claim, asked);
    return rows.map((row) => ({
      ...recordOf(row),
      version: Number(row[3]),
      attempts: Number(row[4]),
      token,
    }));
  }

  async extend(claims: readonly JournalClaim[], duration: number): Promise<void> {
    if (claims.length === 0) return;
    await this.#client.ask("an extension", this.#sql.extend, [...ownOf(claims), duration]);
  }

  async complete(claims: readonly JournalClaim[]): Promise<void> {
    if (claims.length === 0) return;
    const versions = numberArray(claims.map(({ version }) => version));
    await this.#client.ask("a completion", this.#sql.complete, [...ownOf(claims), versions]);
  }

  async fail(failures: readonly FailedClaim[]): Promise<void> {
    if (failures.length === 0) return;
    const claims = failures.map(({ claim }) => claim);
    await this.#client.ask("a failure", this.#sql.fail, [
      ...ownOf(claims),
      numberArray(claims.map(({ version }) => version)),
      numberArray(failures.map(({ delay }) => delay && Math.min(delay, longestTime))),
      textArray(failures.map(({ reason }) => reason.replaceAll("\0", "�"))),
    ]);
  }

  async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    const rows = await this.#client.ask("a read", this.#sql.read, [textArray(keys.map(idOf))]);
    return rows.map(([bytes]) => (Buffer.isBuffer(bytes) ? bytes : undefined));
  }

  async counts(): Promise<readonly JournalCount[]> {
    const rows = await this.#client.ask("a count", this.#sql.counts);
    return rows.map(([node, unsaved, deadLetters]) => ({
      node: String(node),
      unsaved: Number(unsaved),
      deadLetters: Number(deadLetters),
    }));
  }

  async deadLetters(limit: number): Promise<readonly JournalDeadLetter[]> {
    const rows = await this.#client.ask("a list", this.#sql.deadLetters, [limit]);
    return rows.map((row) => ({
      ...recordOf(row),
      attempts: Number(row[3]),
      reason: String(row[4]),
      at: Number(row[5]),
    }));
  }

  requeue(keys: readonly string[]): Promise<number> {
    return this.#count("a requeue", this.#sql.requeue, keys);
  }

  drop(keys: readonly string[]): Promise<number> {
    return this.#count("a removal", this.#sql.drop, keys);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #count(what: string, statement: string, keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    return (await this.#client.ask(what, statement, [textArray(keys.map(idOf))])).length;
  }
}

/** Returns the key, or a hash of one that is too long for an index. */
function idOf(key: string): string {
  if (key.length * 3 <= longestKey || Buffer.byteLength(key) <= longestKey) return key;
  return `~sha256~${createHash("sha256").update(key).digest("base64url")}`;
}

function ownOf(claims: readonly JournalClaim[]): [keys: Buffer | null, tokens: Buffer | null] {
  return [textArray(claims.map(({ key }) => idOf(key))), textArray(claims.map(({ token }) => token))];
}

function recordOf([key, node, bytes]: Row): JournalRecord {
  return { key: String(key), node: String(node), bytes: Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0) };
}

/**
 * A journal in a table of PostgreSQL: durable as the server is, shared by all processes that reach
 * it. A save is acknowledged when the server has committed it. Saves that come together share one
 * statement.
 *
 * @param target an address, options of pg, or a `Pool` of pg of your program's own, as `postgres()`
 *   takes them
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once
 * @example
 * ```ts
 * await registerJournal("writes", postgresJournal("postgres://localhost/app"), { nodes: [UserNode] });
 * ```
 */
export function postgresJournal(
  target: string | PostgresConnectionOptions | PostgresPool,
  options: PostgresJournalOptions = {},
): Journal {
  return new PostgresJournal(journalSettings(target, options));
}
