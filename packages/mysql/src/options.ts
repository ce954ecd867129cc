import * as kit from "cacheme/driver";
import type { Pool, PoolOptions } from "mysql2";
import type { Pool as PromisePool } from "mysql2/promise";

/** How the storage behaves. Everything has a default. */
export type MysqlStorageOptions = kit.TableOptions;

/**
 * The options of mysql2 for a pool that the storage makes. Other options would break the storage's
 * guarantees.
 */
export type MysqlConnectionOptions = Pick<PoolOptions, (typeof taken)[number]>;

/** The program's own pool, of `mysql2` or of `mysql2/promise`. */
export type MysqlPool = Pool | PromisePool;

/**
 * Options that were checked. The label is `mysql://host:port/database`, without name and password.
 */
export interface Settings extends kit.TableSettings {
  /** The program's own pool, or the options for a new one. */
  readonly pool: MysqlConnectionOptions | Pool;
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

/** The advice for some refused options. */
const instead: Readonly<Record<string, string>> = {
  connectTimeout: "give it as an option of the storage",
  charset: "keys and values are bytes, so it makes no difference",
  multipleStatements: "the storage sends one statement at a time",
  queueLimit: "calls wait for a connection up to commandTimeout",
  timezone: "times are counted without a time zone",
  uri: "give the address itself",
  waitForConnections: "calls wait for a connection up to commandTimeout",
};

const form = 'Write "mysql://user:password@host:3306/database"; "mariadb://" means the same.';

const optionTable = new kit.OptionTable(where, kit.tableRows);

/**
 * mysql2 checks it. In an address, `true` verifies the certificate by mysql2's defaults; other
 * words are its profiles.
 */
const tls: kit.OptionKind<PoolOptions["ssl"]> = {
  check: (value) => value as PoolOptions["ssl"],
  fromText: (text) => (text === "false" ? undefined : text === "true" || text === "" ? {} : text),
};

/** The options of mysql2 that an address may have as parameters. */
const parameterTable = new kit.OptionTable(where, {
  connectionLimit: { kind: kit.wholeNumber(1), inAddress: true },
  ssl: { kind: tls, inAddress: true },
});

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid address or option,
 *   `CACHEME_INVALID_DURATION` for an invalid time
 */
export function settings(
  target: string | MysqlConnectionOptions | MysqlPool,
  options: MysqlStorageOptions,
): Settings {
  const checked = optionTable.check(options);
  const common = { ...checked, table: kit.quotedName(checked.table, "`") };
  if (isPool(target)) {
    const pool = "pool" in target ? target.pool : target;
    // mysql2 types the pool's `config` as what it was made of; it is a PoolConfig, with the
    // connections' own inside.
    const { connectionConfig } = pool.config as { connectionConfig?: PoolOptions };
    return { ...common, label: label(connectionConfig ?? {}), pool };
  }
  const pool = typeof target === "string" ? fromAddress(target) : connection(target);
  if (!pool.database && checked.table.length === 1) {
    throw kit.optionError(
      `${where} needs a database. Name it in the address, such as "mysql://host:3306/database".`,
    );
  }
  return { ...common, label: label(pool), pool };
}

function fromAddress(text: string): MysqlConnectionOptions {
  const address = kit.parseAddress(text);
  if (address === undefined || !/^(mysql|mariadb)$/.test(address.scheme)) {
    throw kit.optionError(`${where} was given a text that is not an address of a MySQL server. ${form}`);
  }
  const [server, ...others] = address.servers;
  const [database, ...rest] = address.path;
  if (others.length + rest.length > 0) {
    throw kit.optionError(`${where} was given an address of more than one server or database. ${form}`);
  }
  const { connectionLimit, ssl } = parameterTable.check(parameterTable.fromParameters(address.parameters));
  return {
    host: server?.host ?? "localhost",
    port: server?.port ?? 3306,
    user: address.username ?? "",
    password: address.password ?? "",
    database: database ?? "",
    ...(connectionLimit !== undefined && { connectionLimit }),
    ...(ssl !== undefined && { ssl }),
  };
}

function connection(options: MysqlConnectionOptions): MysqlConnectionOptions {
  if (
    typeof options !== "object" ||
    options === null ||
    typeof Reflect.get(options, "query") === "function"
  ) {
    throw kit.optionError(
      `${where} was given ${kit.shown(options)}. Give an address such as "mysql://host:3306/database", options of mysql2, or a ` +
        "pool of mysql2.",
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || taken.some((one) => one === name)) continue;
    const why = instead[name] ?? `it takes ${taken.join(", ")}`;
    throw kit.optionError(`${where} does not take the option ${name} of mysql2: ${why}.`);
  }
  parameterTable.check({ connectionLimit: options.connectionLimit });
  return options;
}

function label({ host = "localhost", port = 3306, database, socketPath }: PoolOptions): string {
  const path = database ? `/${database}` : "";
  return socketPath ? `mysql:${socketPath}${path}` : `mysql://${kit.serverName({ host, port })}${path}`;
}

/**
 * Returns whether the target is a pool of either kind, and not a single connection or a cluster.
 */
function isPool(target: unknown): target is MysqlPool {
  return (
    typeof target === "object" &&
    target !== null &&
    "getConnection" in target &&
    "releaseConnection" in target &&
    "execute" in target
  );
}
