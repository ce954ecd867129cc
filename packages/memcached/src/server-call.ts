import { type StorageCall, StorageError } from "cacheme/driver";
import type { Answer } from "./answers.js";
import { Batch } from "./commands.js";
import type { Exchange } from "./exchange.js";
import type { Server } from "./server.js";
import { ofServer } from "./trouble.js";

/** The commands of one call of the storage to one server. */
export class ServerCall {
  readonly server: Server;
  /** The places of the server's keys in the batch, in order. */
  readonly places: readonly number[];
  readonly #call: StorageCall;
  readonly #isPool: boolean;

  /** @param isPool whether there are other servers, so that an error must name this one */
  constructor(server: Server, places: readonly number[], call: StorageCall, isPool: boolean) {
    this.server = server;
    this.places = places;
    this.#call = call;
    this.#isPool = isPool;
  }

  /** Whether the deadline has passed: what is not sent yet must not be sent. */
  get isLate(): boolean {
    return this.#call.isLate;
  }

  /**
   * Sends commands once the server is ready, and returns an answer for each, in order. Does not
   * settle if the deadline has passed before.
   *
   * @param write is called once, when the server is ready
   */
  ask(write: (batch: Batch) => void): Promise<readonly Answer[]> {
    return this.#exchange(() => {
      const batch = new Batch();
      write(batch);
      return batch.commands === 0 ? undefined : this.server.send(batch);
    });
  }

  /** Sends `mg` for each name. An answer without its command's number may be another key's. */
  async get(names: readonly string[], flags: (index: number) => string): Promise<readonly Answer[]> {
    let first = 0;
    const answers = await this.ask((batch) => {
      first = this.server.numbers(names.length);
      for (let index = 0; index < names.length; index++) {
        batch.command(`mg ${names[index]} ${flags(index)} O${first + index}`);
      }
    });
    for (let index = 0; index < answers.length; index++) {
      const answer = answers[index];
      // Some versions leave the number out of a miss; errors never have it.
      const isInStep = answer?.opaque === first + index || (answer?.opaque === -1 && answer.code !== "VA");
      if (!isInStep) throw this.server.distrust();
    }
    return answers;
  }

  /** Sends `stats`. */
  stats(): Promise<readonly Answer[]> {
    return this.#exchange(() => this.server.stats());
  }

  async #exchange(send: () => Exchange | undefined): Promise<readonly Answer[]> {
    const { server } = this;
    if (!server.isReady) await this.#untilReady();
    if (this.#call.isLate) return new Promise<never>(() => {});
    const exchange = send();
    if (exchange === undefined) return [];
    this.#call.whenLate(() => server.giveUp(exchange));
    if (!this.#isPool) return exchange.answers;
    return exchange.answers.catch((error: unknown) => Promise.reject(ofServer(server.name, error)));
  }

  async #untilReady(): Promise<void> {
    const { failure, name } = this.server;
    try {
      if (failure !== undefined) throw failure;
      await this.server.untilReady();
    } catch (error) {
      const mustName = this.#isPool && !(error instanceof StorageError);
      throw this.#call.unreachable(mustName ? ofServer(name, error) : error);
    }
  }
}
