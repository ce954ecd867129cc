import { isError, StorageError } from "cacheme/driver";
import type { Redis } from "ioredis";
import type { Attempt, Client, Outcome } from "./client.js";
import type { KeyCommand } from "./commands.js";
import type { Connection } from "./connection.js";
import type { RedisClient } from "./options.js";

/** What is used of ioredis. */
export interface Library {
  readonly Redis: typeof Redis;
}

/**
 * A client that is made when the storage opens, because ioredis takes longer to load than all of Cacheme: a program that has not
 * connected yet does not wait for it. Every call comes after {@link open}.
 */
export class OnDemand implements Client {
  readonly #make: (library: Library) => Client;
  readonly #label: string;
  #made: Client | undefined;

  constructor(make: (library: Library) => Client, label: string) {
    this.#make = make;
    this.#label = label;
  }

  /** @throws StorageError `CACHEME_MISSING_PACKAGE` if ioredis is not installed */
  async open(): Promise<void> {
    this.#made ??= this.#make(await this.#load());
    await this.#made.open();
  }

  async close(): Promise<void> {
    await this.#made?.close();
  }

  read(keys: readonly string[], attempt: Attempt): Promise<(Buffer | null)[]> {
    return this.#client.read(keys, attempt);
  }

  remove(keys: readonly string[], attempt: Attempt): Promise<number> {
    return this.#client.remove(keys, attempt);
  }

  each(commands: readonly KeyCommand[], attempt: Attempt): Promise<Outcome[]> {
    return this.#client.each(commands, attempt);
  }

  ask<T>(question: (client: RedisClient) => Promise<T>, attempt: Attempt): Promise<T[]> {
    return this.#client.ask(question, attempt);
  }

  askOne<T>(question: (client: RedisClient) => Promise<T>, attempt: Attempt): Promise<T> {
    return this.#client.askOne(question, attempt);
  }

  masters(): Promise<{ readonly masters: readonly Connection[]; readonly version: number }> {
    return this.#client.masters();
  }

  late(): void {
    this.#made?.late();
  }

  get #client(): Client {
    if (this.#made === undefined) throw new Error(`${this.#label} was called before it was opened`);
    return this.#made;
  }

  async #load(): Promise<Library> {
    try {
      return await import("ioredis");
    } catch (cause) {
      if (!isMissing(cause)) throw cause;
      const message = `${this.#label} needs the package ioredis, which is not installed. Install it: npm install ioredis.`;
      throw new StorageError("CACHEME_MISSING_PACKAGE", message, { cause });
    }
  }
}

/** Not so if ioredis is there and something that it needs is missing: then its own words say what. */
function isMissing(error: unknown): boolean {
  return isError(error) && /^Cannot find (?:package|module) 'ioredis'/.test(error.message);
}
