import { randomBytes } from "node:crypto";
import { checkKeys, type Generation, type Generations, generationFrom } from "cacheme/driver";
import { answersOf, type Calls } from "./calls.js";
import type { Client } from "./client.js";
import { bumpGeneration, ensureGeneration, type Script } from "./commands.js";
import { wholeTtl } from "./record.js";

/** A generation is an ordinary record whose bytes a script writes, with the server's time. */
export class RedisGenerations implements Generations {
  readonly #label: string;
  readonly #calls: Calls;
  readonly #client: Client;

  constructor(label: string, calls: Calls, client: Client) {
    this.#label = label;
    this.#calls = calls;
    this.#client = client;
  }

  ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#each("making generations", ensureGeneration, keys, ttl);
  }

  bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#each("a new generation", bumpGeneration, keys, ttl);
  }

  async #each(
    action: string,
    run: Script,
    keys: readonly string[],
    ttl: number | undefined,
  ): Promise<readonly Generation[]> {
    checkKeys(keys, this.#label);
    if (keys.length === 0) return [];
    const commands = keys.map((key) => ({
      run,
      key,
      args: [randomBytes(16).toString("base64url"), wholeTtl(ttl) ?? ""],
    }));
    return this.#calls.make(action, async (attempt) => {
      const answers = answersOf(await this.#client.each(commands, attempt));
      return answers.map((answer) => {
        const generation = Buffer.isBuffer(answer) ? generationFrom(answer) : undefined;
        if (generation === undefined)
          throw new Error(`the server answered ${String(answer)} for a generation`);
        return generation;
      });
    });
  }
}
