import { types } from "node:util";
import { elapsed } from "cacheme/driver";
import type { CallOptions, MongodbDatabase } from "./client-types.js";
import { isServers } from "./trouble.js";

/** Milliseconds after which the server's time is read again. */
const stale = 60_000;

/** Milliseconds between the end of a record and the removal of its document. */
const margin = 60_000;

/**
 * An estimate of the server's time. Only the time from which a document may be swept uses it, with
 * a margin. Reads, leases and removals use the server's own clock.
 */
export class ServerClock {
  /** The name by which the server knows `hello`. */
  #hello: "hello" | "isMaster" = "hello";
  #server = 0;
  #steady = Number.NEGATIVE_INFINITY;
  #wall = 0;
  #isLearning = false;

  /** Reads the server's time, and remembers it. */
  async learn(database: MongodbDatabase, options: CallOptions): Promise<void> {
    this.#server = await this.read(database, options);
    this.#steady = elapsed();
    this.#wall = Date.now();
  }

  /** Reads the server's time in the background if it was last read long ago. */
  refresh(database: MongodbDatabase, options: CallOptions): void {
    if (this.#isLearning || elapsed() - this.#steady <= stale) return;
    this.#isLearning = true;
    this.learn(database, options)
      .catch(() => {})
      .finally(() => {
        this.#isLearning = false;
      });
  }

  /**
   * Returns the time, rather too late than too early. While a machine sleeps only its wall clock
   * goes on, and a wall clock may be set back, so the longer of both counts.
   */
  now(): number {
    return this.#server + Math.max(elapsed() - this.#steady, Date.now() - this.#wall, 0);
  }

  /** Returns the time from which a document that expires in so many milliseconds may be removed. */
  sweepTime(length: number): Date {
    return new Date(Math.floor(this.now()) + length + margin);
  }

  /** Reads the server's time: milliseconds since the epoch. */
  async read(database: MongodbDatabase, options: CallOptions): Promise<number> {
    const { localTime } = await this.#ask(database, options);
    if (types.isDate(localTime)) return localTime.getTime();
    throw new Error("the server does not say what time it is");
  }

  /** Retries under the former name of `hello`, the only one of older and some other servers. */
  async #ask(database: MongodbDatabase, options: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    try {
      return await database.command({ [this.#hello]: 1 }, options);
    } catch (error) {
      if (this.#hello === "isMaster" || !isServers(error)) throw error;
      const answer = await database.command({ isMaster: 1 }, options);
      this.#hello = "isMaster";
      return answer;
    }
  }
}
