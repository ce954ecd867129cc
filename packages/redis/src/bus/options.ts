import {
  type ConfigurationError,
  type ConnectionOptions,
  type ConnectionSettings,
  connectionRows,
  OptionTable,
  oneOf,
  optionError,
  optionKind,
} from "cacheme/driver";

/** The options of `redisBus`. Everything has a default. */
export interface RedisBusOptions extends ConnectionOptions {
  /**
   * - `"messages"`: the processes send each other messages by PUBLISH.
   * - `"tracking"`: also, the server reports each change of a key: by any program, by eviction, by
   *   expiry. It needs the storage that `redis()` has made in place of an address. Not in a Cluster.
   *
   * Default: `"messages"`.
   */
  readonly mode?: "messages" | "tracking" | undefined;
  /**
   * The name of the channel. Programs that share a channel ignore each other's messages if their
   * prefixes differ. Default: `"cacheme"`.
   */
  readonly channel?: string | undefined;
}

/** The checked {@link RedisBusOptions}, in milliseconds. */
export interface BusSettings extends ConnectionSettings {
  readonly mode: "messages" | "tracking";
  readonly channel: string;
}

const channel = optionKind(
  "a string that is not empty",
  (value): value is string => typeof value === "string" && value !== "",
);

const optionTable = new OptionTable("redisBus()", {
  ...connectionRows,
  mode: { kind: oneOf("messages", "tracking"), default: "messages" },
  channel: { kind: channel, default: "cacheme" },
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function busSettings(options: RedisBusOptions): BusSettings {
  return optionTable.check(options);
}

/** Returns the error of a server or a target that does not support the mode. */
export function noTracking(reason: string): ConfigurationError {
  return optionError(`redisBus() was given mode: "tracking", ${reason}`);
}
