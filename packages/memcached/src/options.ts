import type { ConnectionOptions as TlsOptions } from "node:tls";
import * as kit from "cacheme/driver";

/** One server of a pool. */
export interface MemcachedServer {
  /** A name or an address. */
  readonly host: string;
  /** Default 11211. */
  readonly port?: number | undefined;
  /** Its share of the keys compared with the others: twice as many with 2 as with 1. Default 1. */
  readonly weight?: number | undefined;
}

/** The servers, and how to connect to them. */
export interface MemcachedConnectionOptions {
  /** At least one. Programs that share the servers must give equal names and weights. */
  readonly servers: readonly MemcachedServer[];
  /** The username for a server with `--auth-file`. No spaces. */
  readonly username?: string | undefined;
  /** No spaces. */
  readonly password?: string | undefined;
  /** `true`, or options of `tls.connect` such as `ca`. Default `false`. */
  readonly tls?: boolean | TlsOptions | undefined;
}

/** How the storage behaves. Everything has a default. */
export interface MemcachedStorageOptions extends kit.ConnectionOptions {}

/** A server that was checked. */
export interface PoolServer {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  /** `host:port`, which decides the server's share of the keys. */
  readonly name: string;
}

/** Options that were checked. */
export interface Settings extends kit.ConnectionSettings {
  /** `memcached://host:port,host:port`, without username and password. */
  readonly label: string;
  readonly servers: readonly PoolServer[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: TlsOptions | undefined;
}

const where = "memcached()";
const usualPort = 11_211;

const storageOptions = new kit.OptionTable(where, kit.connectionRows);

const connectionOptions = new kit.OptionTable(where, {
  servers: {
    kind: kit.optionKind(
      "a list of at least one server",
      (value): value is readonly MemcachedServer[] => Array.isArray(value) && value.length > 0,
    ),
    isRequired: true,
  },
  // The server's own file of accounts has them as `username:password`, and a client sends `username
  // password`.
  username: {
    kind: accountWord("a string without spaces, colons and control characters", /^[^\s:\p{Cc}]+$/u),
  },
  password: { kind: accountWord("a string without spaces and control characters", /^[^\s\p{Cc}]+$/u) },
  tls: {
    kind: kit.optionKind(
      "true, false or options of tls.connect",
      (value): value is boolean | TlsOptions =>
        typeof value === "boolean" || (typeof value === "object" && value !== null && !Array.isArray(value)),
    ),
    default: false,
  },
});

const serverOptions = new kit.OptionTable(`a server of ${where}`, {
  host: {
    kind: kit.optionKind(
      "a name or an address",
      (value): value is string => typeof value === "string" && /^[^\s,@/]+$/.test(value),
    ),
    isRequired: true,
  },
  port: { kind: kit.port, default: usualPort },
  weight: {
    kind: kit.optionKind(
      "a number above 0",
      (value): value is number => Number.isFinite(value) && Number(value) > 0,
    ),
    default: 1,
  },
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function settings(
  target: string | MemcachedConnectionOptions,
  options: MemcachedStorageOptions,
): Settings {
  const common = storageOptions.check(options);
  const given = typeof target === "string" ? fromAddress(target) : target;
  if (typeof given !== "object" || given === null) {
    throw kit.optionError(
      `${where} was given ${kit.shown(target)}. Give an address such as "memcached://host:11211", or { servers: [{ host }] }.`,
    );
  }
  const { servers: list, tls: isTlsOrOptions, username, password } = connectionOptions.check(given);
  if ((username === undefined) !== (password === undefined)) {
    const missing = username === undefined ? "username" : "password";
    throw kit.optionError(
      `The option ${missing} of ${where} is missing. Give username and password, or neither.`,
    );
  }
  const servers = list.map(serverFrom);
  refuseRepeated(servers);
  const tls = isTlsOrOptions === true ? {} : isTlsOrOptions || undefined;
  const label = `memcached${tls === undefined ? "" : "s"}://${servers.map(({ name }) => name).join(",")}`;
  return { ...common, label, servers, username, password, tls };
}

function fromAddress(text: string): MemcachedConnectionOptions {
  const { scheme, servers = [], path = [], parameters, username, password } = kit.parseAddress(text) ?? {};
  const isOurs = scheme === "memcached" || scheme === "memcacheds";
  if (!isOurs || servers.length === 0 || path.length > 0 || parameters?.size !== 0) {
    // The text itself stays out of the message, because it may hold a password.
    throw kit.optionError(
      `${where} was given a string that is not an address of memcached servers. Write "memcached://host:11211", or ` +
        '"memcacheds://" for TLS. Write the username and the password before an "@", percent-encoded, and commas between ' +
        "several servers.",
    );
  }
  return { servers, tls: scheme === "memcacheds", username, password };
}

function serverFrom(server: MemcachedServer): PoolServer {
  const { host, port, weight } = serverOptions.check(server);
  return { host, port, weight, name: kit.serverName({ host, port }) };
}

function refuseRepeated(servers: readonly PoolServer[]): void {
  const names = servers.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw kit.optionError(`${where} was given the server ${twice} twice. Give it once, with a weight of 2.`);
}

/** Keeps the value out of the message, because it may be a password. */
function accountWord(expected: string, form: RegExp): kit.OptionKind<string> {
  return {
    check(value, { name }) {
      if (typeof value === "string" && form.test(value)) return value;
      throw kit.optionError(
        `The option ${name} of ${where} is not one that memcached takes. Give ${expected}.`,
      );
    },
  };
}
