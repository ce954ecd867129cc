import { randomBytes } from "node:crypto";
import { types } from "node:util";
import {
  checkKeys,
  type Generation,
  type Generations,
  generationFrom,
  generationText,
  type StorageCalls,
} from "cacheme/driver";
import type { Client, Slice } from "./client.js";
import { after, store } from "./entries.js";

/** A generation is an ordinary entry; each batch is one transaction that nobody else writes in. */
export class SqliteGenerations implements Generations {
  readonly #label: string;
  readonly #calls: StorageCalls;
  readonly #client: Client;

  constructor(label: string, calls: StorageCalls, client: Client) {
    this.#label = label;
    this.#calls = calls;
    this.#client = client;
  }

  async ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#batch("an ensure", keys, (slice, key) => {
      const { expires, generation } = found(slice, key);
      if (generation === undefined || expires <= slice.now) return made(slice, key, ttl, generation);
      const until = after(slice, ttl);
      if (until > expires) slice.commands.prolong.run(until, key);
      return generation;
    });
  }

  async bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#batch("a bump", keys, (slice, key) => made(slice, key, ttl, found(slice, key).generation));
  }

  async #batch(
    action: string,
    keys: readonly string[],
    answerTo: (slice: Slice, key: string) => Generation,
  ): Promise<readonly Generation[]> {
    checkKeys(keys, this.#label);
    const answers: Generation[] = [];
    if (keys.length === 0) return answers;
    await this.#calls.run(action, (call) =>
      this.#client.batch(call, "writing", keys.length, (slice, index) => {
        answers[index] = answerTo(slice, keys[index] ?? "");
      }),
    );
    return answers;
  }
}

/** What stands under the key, also where it has expired. Bytes of another kind are none. */
function found({ commands }: Slice, key: string): { expires: number; generation: Generation | undefined } {
  const { bytes, expires } = commands.readRow.row(key) ?? {};
  const generation = generationFrom(types.isUint8Array(bytes) ? bytes : undefined);
  return { expires: Number(expires ?? 0), generation };
}

function made(
  slice: Slice,
  key: string,
  ttl: number | undefined,
  before: Generation | undefined,
): Generation {
  const generation = {
    id: randomBytes(16).toString("base64url"),
    // The machine's clock may be set back; the times of generations are not.
    at: Math.max(slice.now, before?.at ?? 0),
  };
  store(slice, { key, bytes: Buffer.from(generationText(generation)), ttl });
  return generation;
}
