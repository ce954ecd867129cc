import type { ConnectionOptions as TlsOptions } from "node:tls";
import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
  type Duration,
  isError,
  optionError,
  refuseUnknownOptions,
  shown,
  tableName,
  timerMilliseconds,
} from "cacheme/driver";
import pg from "pg";
import { fromAddress, notTaken } from "./address.js";
import type { PostgresPool } from "./pool.js";
import { quoted } from "./table.js";

/** Options of pg for a pool that the storage makes. Where one is left out, pg's own default holds, `PGHOST` and the like too. */
export interface PostgresConnectionOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | (() => string | Promise<string>) | undefined;
  readonly database?: string | undefined;
  readonly ssl?: boolean | TlsOptions | undefined;
  /** What the server calls the connection in its lists. Default `"cacheme"`. */
  readonly application_name?: string | undefined;
  /** Settings of the session, such as `"-c work_mem=8MB"`. */
  readonly options?: string | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelayMillis?: number | undefined;
  readonly enableChannelBinding?: boolean | undefined;
  readonly sslnegotiation?: "postgres" | "direct" | undefined;
  /** Connections at most. Default 10. */
  readonly max?: number | undefined;
  /** After so many milliseconds without use a connection is closed; 0 keeps it. Default 60,000. */
  readonly idleTimeoutMillis?: number | undefined;
  /** After so many seconds a connection is replaced. Default: never. */
  readonly maxLifetimeSeconds?: number | undefined;
  /** After so many calls a connection is replaced. Default: never. */
  readonly maxUses?: number | undefined;
}

/** How the storage behaves. Everything has a default. */
export interface PostgresStorageOptions extends ConnectionOptions {
  /** The table's name, also with its schema: `"cacheme"`, `"cache.entries"`. Default `"cacheme"`. */
  readonly table?: string | undefined;
  /**
   * Whether the table is made where it is missing. `false` for a database user that may not: `postgresTable()` answers the
   * statements for a migration. Default `true`.
   */
  readonly createTable?: boolean | undefined;
  /**
   * A table that the storage makes is UNLOGGED: writes are faster, and after a crash of the server it is empty; replicas
   * do not have it. A table that is there stays as it is. Default `false`.
   */
  readonly unlogged?: boolean | undefined;
  /**
   * Whether statements are prepared, which saves the server the planning. `false` for PgBouncer in transaction mode and
   * its like; a pool that the storage makes then asks for no session settings either, `statement_timeout` included.
   * Default `true`.
   */
  readonly prepare?: boolean | undefined;
  /** How often expired records are looked for and removed. No read relies on it. Default `"1m"`. */
  readonly sweepInterval?: Duration | undefined;
}

/** Options that were checked. */
export interface Settings extends ConnectionSettings {
  /** `postgres://host:port/database`, without name and password. */
  readonly label: string;
  /** As it was given, checked. */
  readonly tableName: string;
  /** Between quotes. */
  readonly table: string;
  readonly createTable: boolean;
  readonly unlogged: boolean;
  readonly prepare: boolean;
  readonly sweepInterval: number;
  /** Connections at most. */
  readonly max: number;
  /** The pool of the user's own, else what a pool is to be made with. */
  readonly pool: PostgresPool | undefined;
  readonly config: PoolConfig;
}

/** Not by pg's own name: whoever uses these types is not to need pg's, which are a package apart. */
type PoolConfig = Readonly<Record<string, unknown>>;

const where = "postgres()";

const knownOptions: Readonly<Record<keyof PostgresStorageOptions, true>> = {
  commandTimeout: true,
  connect: true,
  connectTimeout: true,
  createTable: true,
  prepare: true,
  sweepInterval: true,
  table: true,
  unlogged: true,
};

const knownConnectionOptions: Readonly<Record<keyof PostgresConnectionOptions, true>> = {
  application_name: true,
  database: true,
  enableChannelBinding: true,
  host: true,
  idleTimeoutMillis: true,
  keepAlive: true,
  keepAliveInitialDelayMillis: true,
  max: true,
  maxLifetimeSeconds: true,
  maxUses: true,
  options: true,
  password: true,
  port: true,
  ssl: true,
  sslnegotiation: true,
  user: true,
};

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an address or an option that cannot be meant,
 *   `CACHEME_INVALID_DURATION` for a timeout that is no duration
 */
export function settings(
  target: string | PostgresConnectionOptions | PostgresPool,
  options: PostgresStorageOptions,
): Settings {
  refuseUnknownOptions(options, Object.keys(knownOptions), where);
  const parts = tableName(options.table ?? "cacheme", where);
  const common = {
    ...connectionSettings(options, where),
    tableName: parts.join("."),
    table: quoted(parts),
    createTable: flag(options.createTable, "createTable", true),
    unlogged: flag(options.unlogged, "unlogged", false),
    prepare: flag(options.prepare, "prepare", true),
    sweepInterval: timerMilliseconds(options.sweepInterval ?? "1m", `option sweepInterval of ${where}`),
  };
  if (isPool(target)) {
    const config: pg.PoolConfig & { readonly binary?: boolean } = target.options;
    if (config.binary === true) {
      throw optionError(
        `${where} was given a Pool with the option binary: ${notTaken.binary}. Leave it out.`,
      );
    }
    return { ...common, label: label(config), max: config.max ?? 10, pool: target, config: {} };
  }
  const given = typeof target === "string" ? fromAddress(target, Object.keys(knownOptions)) : checked(target);
  const config: pg.PoolConfig = {
    application_name: "cacheme",
    keepAlive: true,
    idleTimeoutMillis: 60_000,
    max: 10,
    ...given,
    ...(common.prepare ? session(common.commandTimeout, given.options ?? process.env.PGOPTIONS) : {}),
    allowExitOnIdle: true,
  };
  return { ...common, label: label(config), max: config.max ?? 10, pool: undefined, config: { ...config } };
}

/**
 * Settings of a connection of ours, which PgBouncer would refuse: without a timeout the server goes on with what nobody
 * waits for any more; and in a stricter isolation, which a database may have as its default, all but one of many that write
 * one row at a time are refused.
 */
function session(commandTimeout: number, options: string | undefined): pg.PoolConfig {
  const isolation = "-c default_transaction_isolation=read\\ committed";
  return {
    statement_timeout: Math.ceil(commandTimeout),
    options: options === undefined ? isolation : `${isolation} ${options}`,
  };
}

function checked(options: PostgresConnectionOptions): pg.PoolConfig {
  if (typeof options !== "object" || options === null) {
    throw optionError(
      `${where} was given ${shown(options)}. Give an address, options of pg, or a Pool of pg.`,
    );
  }
  if ("query" in options || "connection" in options) {
    throw optionError(
      `${where} was given a client of pg, which is one connection. Give a Pool, an address, or options of pg.`,
    );
  }
  for (const name of Object.keys(options)) {
    if (name in knownConnectionOptions) continue;
    const instead = notTaken[name];
    throw optionError(
      instead === undefined
        ? `${where} does not know the connection option ${shown(name)}. It knows ${Object.keys(knownConnectionOptions).join(", ")}.`
        : `${where} does not take the option ${name} of pg: ${instead}.`,
    );
  }
  const { max, ...rest } = options;
  if (max !== undefined && !(Number.isInteger(max) && max > 0)) {
    throw optionError(`The option max of ${where} is ${shown(max)}. Give a whole number from 1.`);
  }
  const given = Object.entries({ ...rest, max }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function isPool(target: string | PostgresConnectionOptions | PostgresPool): target is PostgresPool {
  return typeof target === "object" && target !== null && "totalCount" in target && "connect" in target;
}

/** A client that is not connected knows where it would be: address, options, environment and defaults make that out. */
function label(config: pg.PoolConfig): string {
  const { host, port, database } = resolved(config);
  if (host.startsWith("/")) return `postgres:${host}:${port}/${database ?? ""}`;
  return `postgres://${host.includes(":") ? `[${host}]` : host}:${port}/${database ?? ""}`;
}

function resolved(config: pg.PoolConfig): pg.Client {
  try {
    return new pg.Client(config);
  } catch (error) {
    // A file of a certificate that is not there, say. The words of an address's reader may hold the address.
    const reason = isError(error) && config.connectionString === undefined ? `: ${error.message}` : "";
    throw optionError(
      `${where} was given connection options that pg refuses${reason}. Check the address and its parameters.`,
    );
  }
}

function flag(value: unknown, name: string, byDefault: boolean): boolean {
  if (value === undefined) return byDefault;
  if (typeof value === "boolean") return value;
  throw optionError(`The option ${name} of ${where} is ${shown(value)}. Give true or false.`);
}
