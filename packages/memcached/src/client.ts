import {
  clearTimeout,
  isError,
  type RemoteStorage,
  type StorageCall,
  StorageCalls,
  StorageError,
  setTimeout,
} from "cacheme/driver";

import { Connection } from "./connection.js";
import { type Exchange, isFull, Refusal } from "./exchange.js";
import type { Settings } from "./options.js";
import { type Answer, Batch } from "./protocol.js";
import { Rendezvous } from "./rendezvous.js";
import { needs } from "./server-facts.js";

/** What one server has of a batch. */
export interface Part {
  readonly connection: Connection;
  /** Where its keys stand in the batch, in order. */
  readonly places: readonly number[];
}

/** The servers together: who has which key, and calls to them. */
export class Client {
  readonly connections: readonly Connection[];
  readonly #rendezvous: Rendezvous;
  readonly #calls: StorageCalls;
  readonly #settings: Settings;

  /** @param storage whose calls are tried when a server is there */
  constructor(settings: Settings, storage: RemoteStorage) {
    const { servers, username, password, tls, connectTimeout, label } = settings;
    this.#settings = settings;
    const scheme = tls === undefined ? "memcached" : "memcacheds";
    this.connections = servers.map(({ host, port, name }) => {
      const address = `${scheme}://${name}`;
      return new Connection(name, { host, port, address, username, password, tls, connectTimeout });
    });
    this.#rendezvous = new Rendezvous(servers);
    this.#calls = new StorageCalls({
      ...settings,
      label,
      open: () => this.#open(),
      shut: async () => {
        for (const connection of this.connections) connection.close();
      },
      isAnswer: (error) => error instanceof Refusal,
      refusalAdvice: ({ message }) =>
        /authenticat/.test(message) ? "Check the name and the password." : undefined,
      advice: (error) => (isServers(error) ? "The server's own words say why." : lost),
      // Of several servers each says its version while connecting; a trial would wait for those that are down.
      ...(servers.length === 1 && { trial: { storage, needs, passes: isFull } }),
    });
  }

  /** Whether one of the servers that were reached is a proxy. */
  get isBehindProxy(): boolean {
    return this.connections.some(({ isProxy }) => isProxy);
  }

  connect(): Promise<void> {
    return this.#calls.connect();
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  /** Makes one call, within its deadline. */
  run<T>(action: string, act: (conversation: Conversation) => Promise<T>): Promise<T> {
    let conversation: Conversation | undefined;
    return this.#calls.run(
      action,
      (call) => {
        conversation = new Conversation(call, this.#calls, this.connections.length > 1);
        return act(conversation);
      },
      () => conversation?.giveUp(this.#settings.commandTimeout),
    );
  }

  /** Who has which of the keys. */
  parts(names: readonly string[]): readonly Part[] {
    const [only] = this.connections;
    if (only !== undefined && this.connections.length === 1) {
      return [{ connection: only, places: names.map((_, place) => place) }];
    }
    const places = this.connections.map((): number[] => []);
    for (const [place, name] of names.entries()) places[this.#rendezvous.placeOf(name)]?.push(place);
    return this.connections.flatMap((connection, server) => {
      const its = places[server] ?? [];
      return its.length > 0 ? [{ connection, places: its }] : [];
    });
  }

  /** The first server by name that is up; the first one of all where none is. */
  firstUp(): Connection {
    const byName = [...this.connections].sort((a, b) => (a.label < b.label ? -1 : 1));
    const first = byName.find(({ isReady }) => isReady) ?? byName[0];
    if (first === undefined) throw new Error("there is no server");
    return first;
  }

  /**
   * Asks servers for what may be left out: one of a pool that is known to be down has no keys, as long as another one is
   * up. One that is lost while it is asked fails the call.
   */
  async eachUp(parts: readonly Part[], act: (part: Part) => Promise<void>): Promise<void> {
    const [only] = parts;
    if (only !== undefined && this.connections.length === 1) return act(only);
    await each(parts, async (part) => {
      try {
        await act(part);
      } catch (error) {
        const isDown = error instanceof StorageError && outOfUse.has(error.code);
        if (!isDown || !this.connections.some(({ isReady }) => isReady)) throw error;
      }
    });
  }

  /**
   * One server that answers is enough: one that is down costs its keys only. The others are waited for, but not so long
   * that nothing would come of it.
   */
  async #open(): Promise<void> {
    const attempts = this.connections.map((connection) => connection.untilReady());
    if (attempts.length > 1) {
      let timer: NodeJS.Timeout | undefined;
      const longEnough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, this.#settings.connectTimeout / 2).unref();
      });
      await Promise.race([Promise.allSettled(attempts), longEnough]);
      clearTimeout(timer);
    }
    await Promise.any(attempts).catch(() => attempts[0]);
    for (const connection of this.connections) connection.persist();
  }
}

/** One call's questions to servers. */
export class Conversation {
  readonly #call: StorageCall;
  readonly #calls: StorageCalls;
  readonly #isPool: boolean;
  readonly #exchanges: { readonly connection: Connection; readonly exchange: Exchange }[] = [];

  constructor(call: StorageCall, calls: StorageCalls, isPool: boolean) {
    this.#call = call;
    this.#calls = calls;
    this.#isPool = isPool;
  }

  /**
   * Sends commands to a server when there is a connection, and answers with what it says: an answer for each, in order.
   * Does not settle when the deadline has passed before.
   *
   * @param write is called when the connection is there, once
   */
  ask(connection: Connection, write: (batch: Batch) => void): Promise<readonly Answer[]> {
    return this.#exchange(connection, () => {
      const batch = new Batch();
      write(batch);
      return batch.commands === 0 ? undefined : connection.send(batch);
    });
  }

  /**
   * `mg` for each name. Each answer has to bear its command's number: an answer that was given to another key would be
   * worse than none.
   */
  async get(
    connection: Connection,
    names: readonly string[],
    flags: (index: number) => string,
  ): Promise<readonly Answer[]> {
    let first = 0;
    const answers = await this.ask(connection, (batch) => {
      first = connection.numbers(names.length);
      for (let index = 0; index < names.length; index++) {
        batch.command(`mg ${names[index]} ${flags(index)} O${first + index}`);
      }
    });
    for (let index = 0; index < answers.length; index++) {
      const answer = answers[index];
      // Some versions leave the number out of a miss; errors never have it.
      const isInStep = answer?.opaque === first + index || (answer?.opaque === -1 && answer.code !== "VA");
      if (!isInStep) throw connection.distrust();
    }
    return answers;
  }

  /** `stats`. */
  stats(connection: Connection): Promise<readonly Answer[]> {
    return this.#exchange(connection, () => connection.stats());
  }

  /** Whether the deadline has passed: what is not sent yet must not be. */
  get isLate(): boolean {
    return this.#call.isLate;
  }

  /** The deadline has passed. */
  giveUp(milliseconds: number): void {
    for (const { connection, exchange } of this.#exchanges) connection.giveUp(exchange, milliseconds);
  }

  async #exchange(connection: Connection, send: () => Exchange | undefined): Promise<readonly Answer[]> {
    if (!connection.isReady) await this.#untilReady(connection);
    if (this.#call.isLate) return new Promise<never>(() => {});
    const exchange = send();
    if (exchange === undefined) return [];
    this.#exchanges.push({ connection, exchange });
    if (!this.#isPool) return exchange.answers;
    return exchange.answers.catch((error: unknown) => Promise.reject(ofServer(connection, error)));
  }

  async #untilReady(connection: Connection): Promise<void> {
    try {
      if (connection.failure !== undefined) throw connection.failure;
      await connection.untilReady();
    } catch (error) {
      const isOfServer = this.#isPool && !(error instanceof StorageError);
      throw this.#calls.unreachable(isOfServer ? ofServer(connection, error) : error);
    }
  }
}

const lost = "The connection was lost meanwhile; the storage makes a new one by itself.";

/** The codes of a server that cannot be asked for anything. */
const outOfUse: ReadonlySet<string> = new Set([
  ...["CACHEME_CONNECT_FAILED", "CACHEME_CONNECT_REFUSED", "CACHEME_UNSUPPORTED_SERVER"],
]);

/** Whether these are words of the server, perhaps of one that an error names. */
function isServers(error: Error): boolean {
  return error instanceof Refusal || error.cause instanceof Refusal;
}

/** In a pool an error is of one server, which it has to name. */
function ofServer({ label }: Connection, error: unknown): Error {
  const reason = isError(error) ? error.message : String(error);
  return new Error(`${label}: ${reason}`, { cause: error });
}

/**
 * What all servers answer, when all have. Where one could not, the rest is done all the same before it is told: nothing
 * of the call is under way any more when it has settled.
 */
export async function each<T>(
  parts: readonly Part[],
  act: (part: Part) => Promise<T>,
): Promise<readonly T[]> {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return [await act(only)];
  const outcomes = await Promise.allSettled(parts.map(act));
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}
