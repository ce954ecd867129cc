import { randomBytes } from "node:crypto";
import { types } from "node:util";
import {
  checkKeysOf,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseRequest,
  type Leases,
  type StorageCalls,
} from "cacheme/driver";
import type { Client, Slice } from "./client.js";
import type { Value } from "./database.js";
import { after, store } from "./entries.js";

/**
 * A lease is a row of a table of its own: the key, the token, and when it ends. Each batch is one transaction that nobody
 * else writes in, so what is read in it still holds when it is written.
 */
export class SqliteLeases implements Leases {
  readonly #label: string;
  readonly #calls: StorageCalls;
  readonly #client: Client;

  constructor(label: string, calls: StorageCalls, client: Client) {
    this.#label = label;
    this.#calls = calls;
    this.#client = client;
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    return this.#batch("an acquire", requests, answer);
  }

  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    return this.#batch("a fill", records, (slice, record) => {
      if (slice.commands.useUp.run(record.key, record.token) === 0) return false;
      store(slice, record);
      return true;
    });
  }

  async release(leases: readonly HeldLease[]): Promise<void> {
    await this.#batch("a release", leases, ({ commands }, { key, token }) => commands.useUp.run(key, token));
  }

  async #batch<Asked extends { readonly key: string }, Answer>(
    action: string,
    asked: readonly Asked[],
    answerTo: (slice: Slice, one: Asked) => Answer,
  ): Promise<Answer[]> {
    checkKeysOf(asked, this.#label);
    const answers: Answer[] = [];
    if (asked.length === 0) return answers;
    await this.#calls.run(action, (call) =>
      this.#client.batch(call, "writing", asked.length, (slice, index) => {
        const one = asked[index];
        if (one !== undefined) answers[index] = answerTo(slice, one);
      }),
    );
    return answers;
  }
}

function answer(slice: Slice, { key, duration, steal = false }: LeaseRequest): LeaseAnswer {
  const { commands, now } = slice;
  const token = randomBytes(16).toString("hex");
  const until = after(slice, duration);
  if (steal) {
    commands.steal.run(key, token, until);
  } else {
    const fresh = commands.readFresh.value(key, now, now);
    if (isBytes(fresh)) return { outcome: "fresh", bytes: fresh };
    if (commands.lease.run(key, token, until, now) === 0) return { outcome: "held" };
  }
  return { outcome: "granted", token, at: now };
}

function isBytes(value: Value | undefined): value is Uint8Array {
  return types.isUint8Array(value);
}
