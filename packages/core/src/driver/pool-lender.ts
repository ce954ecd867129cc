import { elapsed } from "../timers.js";

/** A pool of connections, as a database's client has it. */
export interface ConnectionPool<Connection> {
  /** The most connections that the pool lends at one time. */
  readonly max: number;
  /** Borrows a connection. Rejects if the server cannot be reached. */
  take(): Promise<Connection>;
  /** Prepares a connection that was taken, and returns why it must not be used. Default: each may. */
  prepare?(connection: Connection): Error | undefined;
  /** Returns why the answer of a call on the connection is worth nothing. Default: each counts. */
  refuse?(connection: Connection): Error | undefined;
  /** Gives back a connection that works. */
  giveBack(connection: Connection): void;
  /** Destroys a connection, and the statement that runs on it. */
  destroy(connection: Connection): void;
  /** Returns whether a connection is useless after an error of a call. */
  isLost(error: unknown, connection: Connection): boolean;
}

/** The part of a `StorageCall` that the loan of a connection needs. */
export interface LendingCall {
  readonly isLate: boolean;
  whenLate(listener: () => void): void;
  unreachable(error: unknown): unknown;
}

/** Returns the call of a driver that opens until the signal aborts. For authors of storages. */
export function openingCall(signal: AbortSignal): LendingCall {
  return {
    get isLate() {
      return signal.aborted;
    },
    whenLate: (listener) => signal.addEventListener("abort", listener, { once: true }),
    // While a storage is opened, every error is one of a server that cannot be reached.
    unreachable: (error) => error,
  };
}

/**
 * Lends the connections of a pool, each to one call at a time. It adds to the pool:
 *
 * - Only as many calls ask the pool as it has connections. The others wait here, so a call whose
 *   deadline passes can leave the queue.
 * - The connection of a late call is destroyed, with the statement in it.
 * - A connection that has not answered since a late or failed call began is destroyed when it is
 *   borrowed next. A pool would keep the dead sockets of a server that hung or of a network that
 *   was cut, and fail once for each of them.
 *
 * For authors of storages.
 */
export class PoolLender<Connection extends object> {
  readonly #pool: ConnectionPool<Connection>;
  readonly #waiting = new Set<() => void>();
  /** The time of each connection's last answer. */
  readonly #heard = new WeakMap<Connection, number>();
  #free: number;
  /** A connection that answered last before this time is not trusted. */
  #suspectBefore = Number.NEGATIVE_INFINITY;

  constructor(pool: ConnectionPool<Connection>) {
    this.#pool = pool;
    this.#free = pool.max;
  }

  /**
   * Borrows a connection for as long as `act` runs, and no longer than the call may take.
   *
   * @param act sends nothing more once the call is late
   */
  async use<T>(call: LendingCall, act: (connection: Connection) => Promise<T>): Promise<T> {
    const began = elapsed();
    if (call.isLate) throw gaveUp();
    let lent: Connection | undefined;
    const end = (isLost: boolean): void => {
      if (lent === undefined) return;
      const connection = lent;
      lent = undefined;
      if (isLost) this.#suspectBefore = Math.max(this.#suspectBefore, began);
      else this.#heard.set(connection, elapsed());
      this.#pool[isLost ? "destroy" : "giveBack"](connection);
      this.#leave();
    };
    call.whenLate(() => end(true));
    const place = this.#place(call);
    if (place !== undefined) await place;
    let connection: Connection;
    do {
      try {
        connection = await this.#pool.take();
      } catch (error) {
        this.#leave();
        throw call.unreachable(error);
      }
      lent = this.#checked(connection, call, began);
    } while (lent === undefined);
    try {
      const answer = await act(connection);
      const refusal = this.#pool.refuse?.(connection);
      if (refusal !== undefined) throw call.unreachable(refusal);
      end(false);
      return answer;
    } catch (error) {
      end(this.#pool.isLost(error, connection));
      throw error;
    }
  }

  /** Returns a connection that was taken; `undefined` if another one must be taken. */
  #checked(connection: Connection, call: LendingCall, began: number): Connection | undefined {
    const refusal = this.#pool.prepare?.(connection);
    if (call.isLate || refusal !== undefined) {
      // If the connection took longer than the call had, the next call can use it.
      this.#pool[refusal === undefined ? "giveBack" : "destroy"](connection);
      this.#leave();
      throw refusal === undefined ? gaveUp() : call.unreachable(refusal);
    }
    if ((this.#heard.get(connection) ?? began) >= this.#suspectBefore) return connection;
    this.#pool.destroy(connection);
    return undefined;
  }

  /** Waits for the right to ask the pool. */
  #place(call: LendingCall): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      call.whenLate(() => this.#waiting.delete(resolve));
    });
  }

  /** Gives the right to the call that waits longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/** Returns an error that nobody sees, because the call was rejected when its deadline passed. */
function gaveUp(): Error {
  return new Error("the call was given up");
}
