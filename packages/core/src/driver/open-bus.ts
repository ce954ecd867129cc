import type { BusConnection } from "../bus/bus.js";
import { clearTimeout, setTimeout } from "../timers.js";
import { noAnswer } from "./connect-trouble.js";
import type { ConnectionSettings } from "./connection-options.js";
import type { Deferred } from "./deferred.js";

/** The connection of a bus that subscribes by itself. */
export interface OpeningBus extends BusConnection {
  /** Settles with the first subscription, or with the first failure. */
  readonly opened: Deferred;
  open(): void;
}

/**
 * Opens the connection of a bus, and waits for its first subscription, unless `connect` is "lazy".
 * For authors of buses.
 *
 * @param longest milliseconds
 * @param errorOf makes the error of the caller from the failure
 */
export async function openBus<C extends OpeningBus>(
  connection: C,
  connect: ConnectionSettings["connect"],
  longest: number,
  errorOf: (failure: unknown) => Error,
): Promise<C> {
  connection.open();
  if (connect === "lazy") return connection;
  // The connections keep no process alive, so the deadline of this call does.
  const timer = setTimeout(() => connection.opened.reject(noAnswer(longest)), longest);
  try {
    await connection.opened.promise;
    return connection;
  } catch (failure) {
    await connection.close();
    throw errorOf(failure);
  } finally {
    clearTimeout(timer);
  }
}
