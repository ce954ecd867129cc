import { type Duration, OptionTable, optionKind, timer } from "cacheme/driver";
import type { RedisConnectionOptions } from "../connection-options.js";
import type { RedisClient, RedisClusterClient } from "../ioredis.js";
import { type Settings, settings } from "../options.js";

/** The options of `redisJournal`. Everything has a default. */
export interface RedisJournalOptions {
  /**
   * The journal's name in the server. All its keys begin with `cacheme-journal:{NAME}`. Default:
   * `"writes"`.
   */
  readonly name?: string | undefined;
  /** The longest time of a call. Default: 5 seconds. */
  readonly commandTimeout?: Duration | undefined;
}

/** Options that were checked. */
export interface JournalSettings extends Settings {
  /** The beginning of all keys, with the hash tag of their slot. */
  readonly base: string;
}

const name = optionKind(
  "letters, digits, and . _ -",
  (value): value is string => typeof value === "string" && /^[\w.-]{1,100}$/.test(value),
);

const optionTable = new OptionTable("redisJournal()", {
  commandTimeout: { kind: timer, default: "5s" },
  name: { kind: name, default: "writes" },
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION`, `CACHEME_INVALID_DURATION` */
export function journalSettings(
  target: string | RedisConnectionOptions | RedisClient | RedisClusterClient,
  options: RedisJournalOptions,
): JournalSettings {
  const checked = optionTable.check(options);
  const { commandTimeout } = checked;
  return { ...settings(target, {}), commandTimeout, base: `cacheme-journal:{${checked.name}}` };
}
