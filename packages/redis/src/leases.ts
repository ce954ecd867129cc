import { randomBytes } from "node:crypto";
import {
  checkKeysOf,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseRequest,
  type Leases,
} from "cacheme/driver";
import { answersOf, type Calls } from "./calls.js";
import type { Client } from "./client.js";
import { acquire, fill, type KeyCommand, release } from "./commands.js";
import type { EvictionWarning } from "./eviction.js";
import { freshForOf, packed, wholeTtl } from "./record.js";

/** Bytes of a token: 128 random bits, as text for callers. */
const tokenLength = 16;

/** What no lease has: in place of a text that is no token of ours. */
const noToken = Buffer.from("?");

/** A lease is in the header of its key's record (record.ts). Each operation is one script for one key. */
export class RedisLeases implements Leases {
  readonly #label: string;
  readonly #calls: Calls;
  readonly #client: Client;
  readonly #eviction: EvictionWarning;

  constructor(label: string, calls: Calls, client: Client, eviction: EvictionWarning) {
    this.#label = label;
    this.#calls = calls;
    this.#client = client;
    this.#eviction = eviction;
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    const tokens = randomBytes(tokenLength * requests.length);
    const tokenOf = (index: number): Buffer =>
      tokens.subarray(index * tokenLength, (index + 1) * tokenLength);
    const answers = await this.#each("an acquire", requests, ({ key, duration, steal = false }, index) => ({
      run: acquire,
      key,
      args: [tokenOf(index), Math.max(1, Math.floor(duration)), steal ? "1" : "0"],
    }));
    return answers.map((answer, index): LeaseAnswer => {
      if (Buffer.isBuffer(answer)) return { outcome: "fresh", bytes: answer };
      if (answer === 0) return { outcome: "held" };
      return { outcome: "granted", token: tokenOf(index).toString("base64url"), at: Number(answer) };
    });
  }

  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    const whole = records.map(({ bytes, ttl, freshFor }) => ({ bytes, ttl: wholeTtl(ttl), freshFor }));
    const packs = packed(whole);
    const answers = await this.#each("a fill", records, ({ key, token }, index) => {
      const { ttl = "", ...record } = whole[index] ?? { bytes: Buffer.alloc(0), ttl: undefined };
      const freshFor = freshForOf({ ...record, ttl: ttl === "" ? undefined : ttl }) ?? "";
      return { run: fill, key, args: [bytesOfToken(token), packs[index] ?? "", ttl, freshFor] };
    });
    this.#eviction.notice(records);
    return answers.map((answer) => answer === 1);
  }

  async release(leases: readonly HeldLease[]): Promise<void> {
    await this.#each("a release", leases, ({ key, token }) => ({
      run: release,
      key,
      args: [bytesOfToken(token)],
    }));
  }

  async #each<Asked extends { readonly key: string }>(
    action: string,
    asked: readonly Asked[],
    command: (one: Asked, index: number) => KeyCommand,
  ): Promise<unknown[]> {
    checkKeysOf(asked, this.#label);
    if (asked.length === 0) return [];
    const commands = asked.map(command);
    return this.#calls.make(action, async (attempt) => answersOf(await this.#client.each(commands, attempt)));
  }
}

function bytesOfToken(token: string): Buffer {
  const bytes = Buffer.from(token, "base64url");
  return bytes.length === tokenLength ? bytes : noToken;
}
