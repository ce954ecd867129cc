import type { Duration } from "../duration.js";
import { connectionRows, OptionTable } from "./option-table.js";

/** The options that every remote storage has. */
export interface ConnectionOptions {
  /**
   * `"eager"`: `connect()` (and so `registerStorage`) waits until the storage answers, and rejects if it does not.
   * `"lazy"`: it returns at once and the connection is made in the background; until it is there, calls wait for it up to
   * `commandTimeout`.
   * Default `"eager"`.
   */
  readonly connect?: "eager" | "lazy" | undefined;
  /** The longest that any call may take, waiting for a connection included. Default `"1s"`. */
  readonly commandTimeout?: Duration | undefined;
  /**
   * The longest that one attempt to connect may take. The calls that are tried on a new connection have `commandTimeout`
   * each. Default `"2s"`.
   */
  readonly connectTimeout?: Duration | undefined;
}

/** {@link ConnectionOptions} that were checked, in milliseconds. */
export interface ConnectionSettings {
  readonly connect: "eager" | "lazy";
  readonly commandTimeout: number;
  readonly connectTimeout: number;
}

/**
 * Checks the options that every remote storage has. For authors of storages without a table of options.
 *
 * @param where what the options were given to, such as `"redis()"`
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`
 */
export function connectionSettings(
  { connect, commandTimeout, connectTimeout }: ConnectionOptions,
  where: string,
): ConnectionSettings {
  return new OptionTable(where, connectionRows).check({ connect, commandTimeout, connectTimeout });
}
