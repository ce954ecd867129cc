import { isError } from "../errors.js";
import { shownKey } from "../shown-key.js";
import { type Generation, type Generations, generationFrom } from "../storage/generations.js";
import { checkKeys } from "../storage/stored-key.js";
import type { Driver, Made, NewGeneration } from "./driver.js";
import type { DriverParts } from "./driver-parts.js";
import { nextGeneration } from "./next-generation.js";
import { operationNames } from "./operation-names.js";
import { randomText } from "./random-text.js";
import type { StorageCall } from "./storage-calls.js";
import { wholeMilliseconds } from "./whole-milliseconds.js";

/** The methods of a driver that generations need. */
export type GenerationDriver = Required<Pick<Driver, "ensure" | "bump">> &
  Pick<Driver, "errors" | "read" | "remove" | "time">;

type Make = (tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall) => Promise<Made>;

/** Checks keys, and sends each key once. */
export class DriverGenerations implements Generations {
  readonly #parts: DriverParts<GenerationDriver>;

  constructor(parts: DriverParts<GenerationDriver>) {
    this.#parts = parts;
  }

  ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#each(operationNames.ensure, keys, ttl, (...asked) => this.#parts.driver.ensure(...asked));
  }

  async bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    try {
      return await this.#each(operationNames.bump, keys, ttl, (...asked) =>
        this.#parts.driver.bump(...asked),
      );
    } catch (error) {
      if (!(isError(error) && this.#parts.driver.errors?.isFull?.(error.cause))) throw error;
      return this.#lose(keys);
    }
  }

  /**
   * Removes the generations, because a full database still removes. Without its generation each
   * entry of a tag is a miss.
   */
  async #lose(keys: readonly string[]): Promise<readonly Generation[]> {
    const unique = [...new Set(keys)];
    const before = await this.#parts.calls.run(operationNames.read, (call) =>
      this.#parts.driver.read(unique, call),
    );
    await this.#parts.calls.run(operationNames.remove, (call) => this.#parts.driver.remove(unique, call));
    const now = await this.#parts.calls.run(operationNames.time, (call) => this.#parts.driver.time(call));
    const lost = unique.map((_, index) =>
      nextGeneration(randomText("base64url"), now, generationFrom(before[index])),
    );
    return inOrder(keys, unique, lost);
  }

  async #each(
    action: string,
    keys: readonly string[],
    ttl: number | undefined,
    make: Make,
  ): Promise<readonly Generation[]> {
    checkKeys(keys, this.#parts.label);
    if (keys.length === 0) return [];
    const unique = keys.length === 1 ? keys : [...new Set(keys)];
    // Draws each id at once: an object with a getter that draws it if it is needed costs three times as much.
    const tags = unique.map((key): NewGeneration => ({ key, id: randomText("base64url") }));
    const made = await this.#parts.calls.run(action, async (call) =>
      complete(await make(tags, wholeMilliseconds(ttl), call), unique),
    );
    return inOrder(keys, unique, made);
  }
}

/** @throws Error if the generation of a key is missing */
function complete(made: Made, keys: readonly string[]): readonly Generation[] {
  for (let index = 0; index < keys.length; index++) {
    if (made[index] !== undefined) continue;
    throw new Error(`it answered no generation for ${shownKey(keys[index] ?? "")}`);
  }
  // The loop has refused every undefined generation.
  return made as readonly Generation[];
}

function inOrder<T>(keys: readonly string[], unique: readonly string[], answers: readonly T[]): readonly T[] {
  if (unique.length === keys.length) return answers;
  const byKey = new Map(unique.map((key, index) => [key, answers[index]]));
  return keys.flatMap((key) => byKey.get(key) ?? []);
}
