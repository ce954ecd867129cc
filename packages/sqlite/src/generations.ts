import { randomBytes } from "node:crypto";
import { types } from "node:util";
import {
  checkKeys,
  type Generation,
  type Generations,
  generationFrom,
  generationText,
  isError,
  type StorageCalls,
} from "cacheme/driver";
import type { Client, Slice } from "./client.js";
import { after, endLease, store } from "./entries.js";
import { troubleOf } from "./trouble.js";

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
    try {
      return await this.#batch("a bump", keys, (slice, key) =>
        made(slice, key, ttl, found(slice, key).generation),
      );
    } catch (error) {
      if (!(isError(error) && troubleOf(error.cause) === "full")) throw error;
      return this.#lose(keys);
    }
  }

  /** A full disk still lets rows go: without its generation each entry of a tag is a miss, as after a bump. */
  async #lose(keys: readonly string[]): Promise<readonly Generation[]> {
    // A removal, too, is written to the log first.
    await this.#calls
      .run("a checkpoint", (call) => this.#client.use(call, (session) => session.reuseLog()))
      .catch(() => {});
    return this.#batch("a removal of generations", keys, (slice, key) => {
      const generation = following(slice, found(slice, key).generation);
      slice.commands.remove.value(key, slice.now);
      endLease(slice, key);
      return generation;
    });
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
  const generation = following(slice, before);
  store(slice, { key, bytes: Buffer.from(generationText(generation)), ttl });
  return generation;
}

/** The machine's clock may be set back; the times of generations are not. */
function following({ now }: Slice, before: Generation | undefined): Generation {
  return { id: randomBytes(16).toString("base64url"), at: Math.max(now, before?.at ?? 0) };
}
