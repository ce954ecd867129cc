import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
  type Duration,
  optionError,
  refuseUnknownOptions,
  shown,
  timerMilliseconds,
} from "cacheme/driver";
import type { Pool, PoolOptions } from "mysql2";
import type { Pool as PromisePool } from "mysql2/promise";
import { addressOf, optionsOf } from "./address.js";
import { quotedTable } from "./table.js";

/** How the storage behaves. Everything has a default. */
export interface MysqlStorageOptions extends ConnectionOptions {
  /** The table, with its database if that is not the connection's: `"cache.entries"`. Default `"cacheme"`. */
  readonly table?: string | undefined;
  /**
   * Whether the table is made where it is missing. With `false` make it yourself, of what `mysqlTable()` prints.
   * Default `true`.
   */
  readonly createTable?: boolean | undefined;
  /** How often expired records are looked for and removed. No read relies on it. Default `"1m"`. */
  readonly sweepInterval?: Duration | undefined;
}

/** The options of mysql2 that a pool of the storage's takes. The others would contradict what the storage guarantees. */
export type MysqlConnectionOptions = Pick<PoolOptions, (typeof taken)[number]>;

/** A pool that the program has already, of `mysql2` or of `mysql2/promise`. */
export type MysqlPool = Pool | PromisePool;

/** Options that were checked. */
export interface Settings extends ConnectionSettings {
  /** `mysql://host:port/database`, without name and password. */
  readonly label: string;
  /** What to make a pool of, or the program's own. */
  readonly pool: MysqlConnectionOptions | Pool;
  /** Quoted, with its database where one was given. */
  readonly table: string;
  readonly createTable: boolean;
  readonly sweepInterval: number;
}

const where = "mysql()";

const taken = [
  "authPlugins",
  "connectAttributes",
  "connectionLimit",
  "database",
  "disableEval",
  "enableCleartextPlugin",
  "host",
  "keepAliveInitialDelay",
  "password",
  "password1",
  "password2",
  "password3",
  "port",
  "socketPath",
  "ssl",
  "user",
] as const;

/** What to do in place of some that are refused. */
const instead: Readonly<Record<string, string>> = {
  connectTimeout: "give it as an option of the storage",
  charset: "keys and values are bytes, so it makes no difference",
  multipleStatements: "the storage sends one statement at a time",
  queueLimit: "calls wait for a connection up to commandTimeout",
  timezone: "times are counted without a time zone",
  uri: "give the address itself",
  waitForConnections: "calls wait for a connection up to commandTimeout",
};

const known: readonly (keyof MysqlStorageOptions)[] = [
  "commandTimeout",
  "connect",
  "connectTimeout",
  "createTable",
  "sweepInterval",
  "table",
];

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an address or an option that cannot be meant,
 *   `CACHEME_INVALID_DURATION` for a time that is no duration
 */
export function settings(
  target: string | MysqlConnectionOptions | MysqlPool,
  options: MysqlStorageOptions,
): Settings {
  refuseUnknownOptions(options, known, where);
  const { table = "cacheme", createTable = true, sweepInterval = "1m" } = options;
  if (typeof createTable !== "boolean") {
    throw optionError(`The option createTable of ${where} is ${shown(createTable)}. Give true or false.`);
  }
  const common = {
    ...connectionSettings(options, where),
    table: quotedTable(table, where),
    createTable,
    sweepInterval: timerMilliseconds(sweepInterval, `option sweepInterval of ${where}`),
  };
  if (isPool(target)) {
    const pool = "pool" in target ? target.pool : target;
    // mysql2 types the pool's `config` as what it was made of; it is a PoolConfig, with the connections' own inside.
    const { connectionConfig } = pool.config as { connectionConfig?: PoolOptions };
    return { ...common, label: addressOf(connectionConfig ?? {}), pool };
  }
  const pool = typeof target === "string" ? optionsOf(target) : checked(target);
  if (!pool.database && !table.includes(".")) {
    throw optionError(
      `${where} was not told which database to use. Name it in the address, such as "mysql://host:3306/database".`,
    );
  }
  return { ...common, label: addressOf(pool), pool };
}

function checked(options: MysqlConnectionOptions): MysqlConnectionOptions {
  if (
    typeof options !== "object" ||
    options === null ||
    typeof Reflect.get(options, "query") === "function"
  ) {
    throw optionError(
      `${where} was given ${shown(options)}. Give an address such as "mysql://host:3306/database", options of mysql2, or a ` +
        "pool of mysql2.",
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || taken.some((one) => one === name)) continue;
    const why = instead[name] ?? `it takes ${taken.join(", ")}`;
    throw optionError(`${where} does not take the option ${name} of mysql2: ${why}.`);
  }
  const { connectionLimit } = options;
  if (connectionLimit !== undefined && !(Number.isInteger(connectionLimit) && connectionLimit > 0)) {
    throw optionError(
      `The option connectionLimit of ${where} is ${shown(connectionLimit)}. Give a whole number from 1.`,
    );
  }
  return options;
}

/** A pool of either kind. A single connection, a cluster and its namespaces are none. */
function isPool(target: unknown): target is MysqlPool {
  return (
    typeof target === "object" &&
    target !== null &&
    "getConnection" in target &&
    "releaseConnection" in target &&
    "execute" in target
  );
}
