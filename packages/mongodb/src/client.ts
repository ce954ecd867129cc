import { clearInterval, elapsed } from "cacheme/driver";
import type { MongoClient } from "mongodb";
import type { MongodbClient, MongodbCollection, MongodbDatabase } from "./driver.js";
import { letIdle } from "./idle.js";
import { ClientSockets } from "./sockets.js";

/** Where the collection comes from. */
export interface ConnectionTarget {
  /** Makes a client of our own, which does nothing before it is asked something. */
  readonly make: (() => MongoClient) | undefined;
  /** The collection in a client. */
  find(client: MongodbClient): Place;
  /** The place in the user's own client. */
  readonly given: Place | undefined;
}

/** A collection with the database that it is in: a collection does not tell. */
export interface Place {
  readonly database: MongodbDatabase;
  readonly collection: MongodbCollection;
  /** Connects its client, also one that has failed to before. A `Db` cannot. */
  readonly connect?: (() => Promise<unknown>) | undefined;
}

/**
 * The client of the storage, which is the user's own or one of ours. One of ours is thrown away as a whole when a deadline
 * passes and nothing at all was heard from the server meanwhile: behind a partition every socket of its pool is dead, and
 * each would cost a call its deadline.
 */
export class Connection {
  readonly #target: ConnectionTarget;
  #own: MongoClient | undefined;
  #place: Place | undefined;
  #connecting: Promise<unknown> | undefined;
  #sockets: ClientSockets | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** When the server last answered, by `performance.now()`. */
  #heard = Number.NEGATIVE_INFINITY;
  readonly #closing = new Set<Promise<void>>();

  constructor(target: ConnectionTarget) {
    this.#target = target;
    this.#place = target.given;
  }

  /** The place, once its client is connected. Of many that ask at once, one connects. */
  async ready(): Promise<Place> {
    this.#place ??= this.#made();
    const place = this.#place;
    this.#connecting ??= Promise.resolve(place.connect?.());
    try {
      await this.#connecting;
      return place;
    } catch (error) {
      if (this.#place === place) {
        this.#connecting = undefined;
        // A client that could not connect is closed for good.
        this.drop();
      }
      throw error;
    }
  }

  /** The server has answered, be it with an error. */
  heard(): void {
    this.#heard = elapsed();
  }

  /** Makes a new client in place of this one if the server has said nothing since that moment. */
  dropIfSilent(place: Place, since: number): void {
    if (this.#place !== place || this.#heard >= since) return;
    this.#sockets?.reset();
    this.drop();
  }

  /** Makes a new client for the next call. The user's own is left as it is. */
  drop(): void {
    const own = this.#own;
    if (own === undefined) return;
    clearInterval(this.#idle);
    this.#sockets?.release();
    this.#connecting = undefined;
    this.#own = undefined;
    this.#place = undefined;
    // A failing farewell is nobody's business: the sockets are gone in any case.
    const closed = own
      .close(true)
      .catch(() => {})
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** Settles when our own clients are closed. */
  async close(): Promise<void> {
    this.drop();
    await Promise.all(this.#closing);
  }

  #made(): Place {
    const { make } = this.#target;
    if (make === undefined) throw new Error("There is neither a client nor a way to make one.");
    const own = make();
    this.#own = own;
    this.#sockets = new ClientSockets(own);
    this.#idle = letIdle(own);
    return this.#target.find(own);
  }
}
