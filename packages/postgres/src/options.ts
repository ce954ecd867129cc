import type { ConnectionOptions as TlsOptions } from "node:tls";
import * as kit from "cacheme/driver";
import pg from "pg";
import { fromAddress, refusedOptions } from "./address.js";
import type { PostgresPool } from "./pool.js";

/**
 * Options of pg for a pool that the storage makes. Defaults are pg's own, with `PGHOST` and the
 * like, unless named here.
 */
export interface PostgresConnectionOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | (() => string | Promise<string>) | undefined;
  readonly database?: string | undefined;
  readonly ssl?: boolean | TlsOptions | undefined;
  /** The connection's name in the server's lists. Default `"cacheme"`. */
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
export interface PostgresStorageOptions extends kit.TableOptions {
  /**
   * Whether the storage creates the table as UNLOGGED: writes are faster, the table is empty after
   * a crash of the server, and replicas do not have it. An existing table is not changed. Default
   * `false`.
   */
  readonly unlogged?: boolean | undefined;
  /**
   * Whether statements are prepared, which saves the server the planning. Give `false` behind a
   * pooler that does not support it. A pool that the storage makes then sets no settings of the
   * session either, `statement_timeout` included. Default `true`.
   */
  readonly prepare?: boolean | undefined;
}

/**
 * Options that were checked. The label is `postgres://host:port/database`, without name and
 * password.
 */
export interface Settings extends kit.TableSettings {
  /** The checked name, without quotes. */
  readonly tableName: string;
  readonly unlogged: boolean;
  readonly prepare: boolean;
  /** Connections at most. */
  readonly max: number;
  /** The user's own pool; else {@link config} makes one. */
  readonly pool: PostgresPool | undefined;
  readonly config: PoolConfig;
}

/**
 * Not pg's own type, so that users of these types need no types of pg, which are a package apart.
 */
type PoolConfig = Readonly<Record<string, unknown>>;

const where = "postgres()";

const optionTable = new kit.OptionTable(where, {
  ...kit.tableRows,
  prepare: { kind: kit.flag, default: true },
  unlogged: { kind: kit.flag, default: false },
});

/** pg checks the values of its options. */
const checkedByPg: kit.OptionKind<unknown> = { check: (value) => value };

const connectionTable = new kit.OptionTable(where, {
  ...kit.rowsOf(checkedByPg, [
    ...(["database", "enableChannelBinding", "host", "keepAliveInitialDelayMillis"] as const),
    ...(["maxLifetimeSeconds", "maxUses", "options", "password", "port"] as const),
    ...(["ssl", "sslnegotiation", "user"] as const),
  ]),
  application_name: { kind: checkedByPg, default: "cacheme" },
  idleTimeoutMillis: { kind: checkedByPg, default: 60_000 },
  keepAlive: { kind: checkedByPg, default: true },
  max: { kind: kit.wholeNumber(1), default: 10 },
} satisfies Record<keyof PostgresConnectionOptions, kit.OptionRow<unknown>>);

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid address or option,
 *   `CACHEME_INVALID_DURATION` for an invalid time
 */
export function settings(
  target: string | PostgresConnectionOptions | PostgresPool,
  options: PostgresStorageOptions,
): Settings {
  const checked = optionTable.check(options);
  const common = {
    ...checked,
    tableName: checked.table.join("."),
    table: kit.quotedName(checked.table, '"'),
  };
  if (isPool(target)) {
    const config: pg.PoolConfig & { readonly binary?: boolean } = target.options;
    if (config.binary === true) {
      throw kit.optionError(
        `${where} was given a Pool with the option binary: ${refusedOptions.binary}. Leave it out.`,
      );
    }
    return { ...common, label: label(config), max: config.max ?? 10, pool: target, config: {} };
  }
  const given = typeof target === "string" ? fromAddress(target, optionTable.names) : connection(target);
  const config: pg.PoolConfig = {
    ...connection({}),
    ...given,
    ...(common.prepare ? session(common.commandTimeout, given.options ?? process.env.PGOPTIONS) : {}),
    allowExitOnIdle: true,
  };
  return { ...common, label: label(config), max: config.max ?? 10, pool: undefined, config: { ...config } };
}

/**
 * Settings of the session, which PgBouncer would refuse. Without a timeout the server would go on
 * with statements that nobody waits for. In a stricter isolation, which a database may have as its
 * default, the server would refuse all but one of several concurrent writes of a row.
 */
function session(commandTimeout: number, options: string | undefined): pg.PoolConfig {
  const isolation = "-c default_transaction_isolation=read\\ committed";
  return {
    statement_timeout: Math.ceil(commandTimeout),
    options: options === undefined ? isolation : `${isolation} ${options}`,
  };
}

/**
 * Checks the options of pg, and fills in the storage's defaults. pg has its own for the options
 * that are left out.
 */
function connection(options: PostgresConnectionOptions): pg.PoolConfig {
  if (typeof options !== "object" || options === null) {
    throw kit.optionError(
      `${where} was given ${kit.shown(options)}. Give an address, options of pg, or a Pool of pg.`,
    );
  }
  if ("query" in options || "connection" in options) {
    throw kit.optionError(
      `${where} was given a client of pg, which is one connection. Give a Pool, an address, or options of pg.`,
    );
  }
  for (const name of Object.keys(options)) {
    const instead = refusedOptions[name];
    if (instead === undefined) continue;
    throw kit.optionError(`${where} does not take the option ${name} of pg: ${instead}.`);
  }
  const checked = Object.entries(connectionTable.check(options));
  return Object.fromEntries(checked.filter(([, value]) => value !== undefined));
}

function isPool(target: string | PostgresConnectionOptions | PostgresPool): target is PostgresPool {
  return typeof target === "object" && target !== null && "totalCount" in target && "connect" in target;
}

/**
 * A client that is not connected knows its server from the address, the options, the environment
 * and the defaults.
 */
function label(config: pg.PoolConfig): string {
  const { host, port, database } = resolved(config);
  if (host.startsWith("/")) return `postgres:${host}:${port}/${database ?? ""}`;
  return `postgres://${kit.serverName({ host, port })}/${database ?? ""}`;
}

function resolved(config: pg.PoolConfig): pg.Client {
  try {
    return new pg.Client(config);
  } catch (error) {
    // The file of a certificate is missing, for example. The reason may hold the address.
    const reason = kit.isError(error) && config.connectionString === undefined ? `: ${error.message}` : "";
    throw kit.optionError(
      `${where} was given connection options that pg refuses${reason}. Check the address and its parameters.`,
    );
  }
}
