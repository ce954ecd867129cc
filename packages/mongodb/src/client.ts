import { clearInterval, elapsed, type StorageCall } from "cacheme/driver";
import type { MongoClient } from "mongodb";
import type { MongodbClient, MongodbCollection, MongodbDatabase } from "./client-types.js";
import { CollectionCall } from "./collection-call.js";
import { letIdle } from "./idle.js";
import { makeIndexes } from "./indexes.js";
import type { Settings } from "./options.js";
import { ServerClock } from "./server-clock.js";
import { ClientSockets } from "./sockets.js";
import { isServers, ofVersion } from "./trouble.js";

/** The collection, and a client of ours or of the program that has it. */
export interface ConnectionTarget {
  /** Makes a client of our own, which does nothing before its first command. */
  readonly make: (() => MongoClient) | undefined;
  /** Finds the collection in a client. */
  find(client: MongodbClient): Place;
  /** The place in the program's own client. */
  readonly given: Place | undefined;
}

/** A collection with its database, which a collection does not tell. */
export interface Place {
  readonly database: MongodbDatabase;
  readonly collection: MongodbCollection;
  /** Connects its client, also after a failure. A `Db` cannot do that. */
  readonly connect?: (() => Promise<unknown>) | undefined;
}

/**
 * The client of the storage: the program's own, or one of ours. One of ours is dropped as a whole
 * if the server sends nothing at all up to a deadline, because behind a partition every socket of
 * its pool is dead, and each would cost a call its deadline.
 */
export class Client {
  readonly clock: ServerClock = new ServerClock();
  readonly #settings: Settings;
  #own: MongoClient | undefined;
  #place: Place | undefined;
  #connecting: Promise<unknown> | undefined;
  #sockets: ClientSockets | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** The last time that the server answered, by `elapsed()`. */
  #heard = Number.NEGATIVE_INFINITY;
  readonly #closing = new Set<Promise<void>>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#place = settings.given;
  }

  /** Connects, reads the server's time, and makes the indexes. */
  async open(signal: AbortSignal): Promise<void> {
    const place = await this.#ready();
    await this.clock.learn(place.database, { signal });
    await makeIndexes(place, this.#settings, { signal });
    this.#heard = elapsed();
  }

  /** Makes one call, and drops our own client if the server is silent up to the deadline. */
  async use<T>(call: StorageCall, act: (sent: CollectionCall) => Promise<T>): Promise<T> {
    const began = elapsed();
    const place = await this.#ready().catch((error: unknown) => Promise.reject(call.unreachable(error)));
    // The caller has got its error, so nothing may be sent any more.
    if (call.isLate) return new Promise<never>(() => {});
    const { signal } = call;
    // Before the package mongodb hears of it, which would close the connection and leave it what it
    // has to send.
    signal.addEventListener("abort", () => this.#dropIfSilent(place, began), { once: true });
    try {
      const answer = await act(new CollectionCall(place, this.clock, { signal }));
      this.#heard = elapsed();
      return answer;
    } catch (error) {
      if (isServers(error)) this.#heard = elapsed();
      throw error;
    }
  }

  /**
   * Returns the place once its client is connected. If several calls are concurrent, one connects.
   */
  async #ready(): Promise<Place> {
    this.#place ??= this.#make();
    const place = this.#place;
    this.#connecting ??= Promise.resolve(place.connect?.());
    try {
      await this.#connecting;
      return place;
    } catch (error) {
      if (this.#place === place) {
        this.#connecting = undefined;
        // A client that could not connect is closed for good.
        this.#drop();
      }
      throw ofVersion(this.#settings.label, error);
    }
  }

  /** Drops a client of ours if the server has sent nothing since. The next call makes a new one. */
  #dropIfSilent(place: Place, since: number): void {
    if (this.#place !== place || this.#heard >= since) return;
    this.#sockets?.reset();
    this.#drop();
  }

  /** Settles when our own clients are closed. */
  async close(): Promise<void> {
    this.#drop();
    await Promise.all(this.#closing);
  }

  #make(): Place {
    const { make, find } = this.#settings;
    if (make === undefined) throw new Error("There is neither a client nor a way to make one.");
    const own = make();
    this.#own = own;
    this.#sockets = new ClientSockets(own);
    this.#idle = letIdle(own);
    return find(own);
  }

  #drop(): void {
    const own = this.#own;
    if (own === undefined) return;
    clearInterval(this.#idle);
    this.#sockets?.release();
    this.#connecting = undefined;
    this.#own = undefined;
    this.#place = undefined;
    // Ignores errors while closing, because the sockets are gone in any case.
    const closed = own
      .close(true)
      .catch(() => {})
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}
