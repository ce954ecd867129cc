import { types } from "node:util";
import { elapsed } from "cacheme/driver";
import type { Command } from "./commands.js";
import type { CallOptions, MongodbDatabase } from "./driver.js";
import { isServers } from "./trouble.js";

/** How long the server's time is taken for known, in milliseconds. */
const stale = 60_000;

/**
 * About what time it is on the server. Only the time at which a document may be swept up stands on it, with a margin:
 * what a read, a lease or a removal finds does not.
 */
export class ServerClock {
  /** The name by which the server knows `hello`. */
  #hello: "hello" | "isMaster" = "hello";
  #server = 0;
  #steady = Number.NEGATIVE_INFINITY;
  #wall = 0;

  /** The server has said what time it is. */
  learn(server: number): void {
    this.#server = server;
    this.#steady = elapsed();
    this.#wall = Date.now();
  }

  get isStale(): boolean {
    return elapsed() - this.#steady > stale;
  }

  /**
   * Rather too late than too early: while a machine sleeps only its wall clock goes on, and a wall clock may be set back,
   * so what went by is the longer of the two.
   */
  now(): number {
    return this.#server + Math.max(elapsed() - this.#steady, Date.now() - this.#wall, 0);
  }

  /** Asks the server what time it is. */
  async read(database: MongodbDatabase, options: CallOptions): Promise<number> {
    const { localTime } = await this.#ask(database, options);
    if (types.isDate(localTime)) return localTime.getTime();
    throw new Error("the server does not say what time it is");
  }

  /** Older servers, and some that are like MongoDB, know `hello` by its former name only: they are asked twice once. */
  async #ask(database: MongodbDatabase, options: CallOptions): Promise<Command> {
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
