import type { Duration } from "../duration.js";
import { connectionRows, OptionTable } from "./option-table.js";

/** The options of every remote storage. */
export interface ConnectionOptions {
  /**
   * Whether to wait for the connection. With `"eager"`, `connect()` (and so `registerStorage`)
   * waits until the storage answers, and rejects if it does not. With `"lazy"`, it returns at once
   * and connects in the background. Until the storage is connected, calls wait for it up to
   * `commandTimeout`. Default `"eager"`.
   */
  readonly connect?: "eager" | "lazy" | undefined;
  /**
   * The longest that any call may take, including the wait for a connection. If you give it, it is
   * the `deadline` of `registerStorage`, too, unless you give that one. Default `"1s"`.
   */
  readonly commandTimeout?: Duration | undefined;
  /**
   * The longest that one attempt to connect may take. The calls that are tried on a new connection
   * have `commandTimeout` each. Default `"2s"`.
   */
  readonly connectTimeout?: Duration | undefined;
}

/** The checked {@link ConnectionOptions}, in milliseconds. */
export interface ConnectionSettings {
  readonly connect: "eager" | "lazy";
  readonly commandTimeout: number;
  readonly connectTimeout: number;
  /** The `commandTimeout` if the user gave it; see `RemoteStorage.deadline`. */
  readonly deadline?: number | undefined;
}

/**
 * Checks the options of every remote storage. For authors of storages without a table of options.
 *
 * @param where the function that takes the options, such as `"redis()"`
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`
 */
export function connectionSettings(
  { connect, commandTimeout, connectTimeout }: ConnectionOptions,
  where: string,
): ConnectionSettings {
  return new OptionTable(where, connectionRows).check({ connect, commandTimeout, connectTimeout });
}
