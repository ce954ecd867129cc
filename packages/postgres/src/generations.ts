import { randomBytes } from "node:crypto";
import { types } from "node:util";
import {
  checkKeys,
  type Generation,
  type Generations,
  generationFrom,
  isError,
  shownKey,
} from "cacheme/driver";
import { textArray } from "./binary-array.js";
import type { PostgresClient } from "./client.js";
import type { Statement, Statements } from "./commands.js";
import { indexedKey, inLockOrder, keysInLockOrder, longKey, wholeMilliseconds } from "./record.js";
import { isFull } from "./trouble.js";

/** Generations in rows like any other, written by the server with its own time. */
export class PostgresGenerations implements Generations {
  readonly #client: PostgresClient;
  readonly #statements: Statements;
  readonly #label: string;

  constructor(client: PostgresClient, statements: Statements, label: string) {
    this.#client = client;
    this.#statements = statements;
    this.#label = label;
  }

  ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#ask("a reading of generations", this.#statements.ensure, keys, ttl);
  }

  bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#ask("a change of generations", this.#statements.bump, keys, ttl).catch((error: unknown) =>
      this.#lose(keys, error),
    );
  }

  /** A full server still removes: without its generation each entry of a tag is a miss, as after a bump. */
  async #lose(keys: readonly string[], error: unknown): Promise<readonly Generation[]> {
    if (!(isError(error) && isFull(error.cause))) throw error;
    const { remove, time } = this.#statements;
    await this.#client.ask("a removal of generations", remove, [textArray(keysInLockOrder(keys))]);
    const [row] = await this.#client.ask("a look at the clock", time, []);
    return keys.map(() => ({ id: newId(), at: Number(row?.[0]) }));
  }

  async #ask(
    action: string,
    statement: Statement,
    keys: readonly string[],
    ttl: number | undefined,
  ): Promise<readonly Generation[]> {
    checkKeys(keys, this.#label);
    if (keys.length === 0) return [];
    const ordered = inLockOrder(keys.map((key) => ({ key })));
    const rows = await this.#client.ask(action, statement, [
      textArray(ordered.map(([key]) => key)),
      textArray(ordered.map(([, { key }]) => longKey(key))),
      textArray(ordered.map(newId)),
      wholeMilliseconds(ttl) ?? null,
    ]);
    const found = new Map<unknown, Generation>();
    for (const [key, bytes] of rows) {
      const generation = generationFrom(types.isUint8Array(bytes) ? bytes : undefined);
      if (generation !== undefined) found.set(key, generation);
    }
    return keys.map((key) => {
      const generation = found.get(indexedKey(key));
      if (generation !== undefined) return generation;
      const missing = `the server answered no generation for ${shownKey(key)}`;
      throw this.#client.calls.failed(action, new Error(missing));
    });
  }
}

function newId(): string {
  return randomBytes(16).toString("base64url");
}
