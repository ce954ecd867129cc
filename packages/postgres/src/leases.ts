import { randomFillSync } from "node:crypto";
import { types } from "node:util";
import {
  checkKeysOf,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseRequest,
  type Leases,
} from "cacheme/driver";
import { booleanArray, byteaArray, numberArray, textArray, uuidArray } from "./binary-array.js";
import type { PostgresClient } from "./client.js";
import type { Statements } from "./commands.js";
import { indexedKey, inLockOrder, longKey, times, wholeMilliseconds } from "./record.js";

/** Leases in columns of the record's own row, so that every write and removal of the row ends them. */
export class PostgresLeases implements Leases {
  readonly #client: PostgresClient;
  readonly #statements: Statements;
  readonly #label: string;

  constructor(client: PostgresClient, statements: Statements, label: string) {
    this.#client = client;
    this.#statements = statements;
    this.#label = label;
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    this.#check(requests);
    if (requests.length === 0) return [];
    const tokens = randomTokens(requests.length);
    const ordered = inLockOrder(requests.map((request, index) => ({ ...request, token: tokens[index] })));
    const rows = await this.#client.ask("an acquisition of leases", this.#statements.acquire, [
      textArray(ordered.map(([key]) => key)),
      textArray(ordered.map(([, { key }]) => longKey(key))),
      uuidArray(ordered.map(([, { token }]) => token)),
      numberArray(ordered.map(([, { duration }]) => wholeMilliseconds(duration))),
      booleanArray(ordered.map(([, { steal }]) => steal === true)),
    ]);
    const granted = new Map<unknown, number>();
    const fresh = new Map<unknown, Uint8Array>();
    for (const [key, at, bytes] of rows) {
      if (at !== null) granted.set(key, Number(at));
      if (types.isUint8Array(bytes)) fresh.set(key, bytes);
    }
    return requests.map(({ key }, index) => {
      const indexed = indexedKey(key);
      const at = granted.get(indexed);
      const token = tokens[index];
      if (at !== undefined && token !== undefined) {
        return { outcome: "granted", token: token.toString("hex"), at };
      }
      const bytes = fresh.get(indexed);
      return bytes === undefined ? { outcome: "held" } : { outcome: "fresh", bytes };
    });
  }

  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    this.#check(records);
    if (records.length === 0) return [];
    const ordered = inLockOrder(records.filter(({ token }) => isToken(token)));
    const { ttl, freshFor } = times(ordered);
    const rows =
      ordered.length === 0
        ? []
        : await this.#client.ask("a fill", this.#statements.fill, [
            textArray(ordered.map(([key]) => key)),
            uuidArray(ordered.map(([, { token }]) => Buffer.from(token, "hex"))),
            byteaArray(ordered.map(([, { bytes }]) => bytes)),
            numberArray(ttl),
            numberArray(freshFor),
          ]);
    const filled = new Set<unknown>(rows.map(([key]) => key));
    return records.map(({ key, token }) => isToken(token) && filled.has(indexedKey(key)));
  }

  async release(leases: readonly HeldLease[]): Promise<void> {
    this.#check(leases);
    const ordered = inLockOrder(leases.filter(({ token }) => isToken(token)));
    if (ordered.length === 0) return;
    await this.#client.ask("a release of leases", this.#statements.release, [
      textArray(ordered.map(([key]) => key)),
      uuidArray(ordered.map(([, { token }]) => Buffer.from(token, "hex"))),
    ]);
  }

  #check(batch: readonly { readonly key: string }[]): void {
    checkKeysOf(batch, this.#label);
  }
}

/** 128 random bits each. */
function randomTokens(count: number): Buffer[] {
  const random = randomFillSync(Buffer.allocUnsafe(16 * count));
  return Array.from({ length: count }, (_, index) => random.subarray(16 * index, 16 * index + 16));
}

/** What is no token of ours stands under no key, and the server would refuse it for its form. */
function isToken(token: string): boolean {
  return /^[0-9a-f]{32}$/.test(token);
}
