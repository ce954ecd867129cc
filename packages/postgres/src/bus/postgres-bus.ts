import {
  asError,
  type Bus,
  type BusConnection,
  type BusReceiver,
  connectError,
  isError,
  openBus,
  StorageError,
} from "cacheme/driver";
import { type PostgresConnectionOptions, settings } from "../options.js";
import type { PostgresPool } from "../pool.js";
import { type BusSettings, busSettings, type PostgresBusOptions } from "./options.js";
import { PostgresBusConnection, type PostgresBusPlace } from "./postgres-bus-connection.js";

/**
 * Makes a bus over PostgreSQL (LISTEN and NOTIFY), for `registerBus`. It has two connections of its
 * own, and connects again by itself.
 *
 * A message has at most 7,999 bytes, so an invalidation of many keys is several messages. Behind
 * PgBouncer it needs the session mode: the bus tests that messages arrive before it counts as
 * subscribed.
 *
 * @param target an address, options of pg, or a `Pool` of pg, as `postgres()` takes them. The bus
 *   reads the options of a pool, and borrows no connection: a pool closes an idle listener
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, if
 *   the address or an option is invalid
 * @example
 * ```ts
 * await registerBus(postgresBus("postgres://localhost/app"));
 * ```
 */
export function postgresBus(
  target: string | PostgresConnectionOptions | PostgresPool,
  options: PostgresBusOptions = {},
): Bus {
  const checked = busSettings(options);
  // Without settings of the session, which a pooler would refuse.
  const { label, config, pool } = settings(target, { prepare: false });
  return new PostgresBus({ label, config: pool?.options ?? config }, checked);
}

class PostgresBus implements Bus {
  readonly label: string;
  readonly #place: PostgresBusPlace;
  readonly #settings: BusSettings;

  constructor(place: PostgresBusPlace, checked: BusSettings) {
    this.label = place.label;
    this.#place = place;
    this.#settings = checked;
  }

  async connect(receiver: BusReceiver): Promise<BusConnection> {
    const { connect, connectTimeout, commandTimeout } = this.#settings;
    const connection = new PostgresBusConnection(this.#place, this.#settings, receiver);
    return await openBus(connection, connect, connectTimeout + 3 * commandTimeout, (failure) =>
      isError(failure) && failure instanceof StorageError
        ? failure
        : connectError(asError(failure), { label: this.label, isAnswer }),
    );
  }
}

/** Errors of the server have a severity. */
function isAnswer(error: Error): boolean {
  return "severity" in error;
}
