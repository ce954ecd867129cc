import type { ConnectionOptions as TlsOptions } from "node:tls";
import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
  optionError,
  refuseUnknownOptions,
  shown,
} from "cacheme/driver";

/** One server of a pool. */
export interface MemcachedServer {
  /** A name or an address. */
  readonly host: string;
  /** Default 11211. */
  readonly port?: number | undefined;
  /** How many of the keys it gets beside the others: twice as many with 2 as with 1. Default 1. */
  readonly weight?: number | undefined;
}

/** Where the servers are, and how they are spoken to. */
export interface MemcachedConnectionOptions {
  /** At least one. Every program that shares them must name the same ones, by the same names and with the same weights. */
  readonly servers: readonly MemcachedServer[];
  /** The name that a server with `--auth-file` asks for. No spaces. */
  readonly username?: string | undefined;
  /** No spaces. */
  readonly password?: string | undefined;
  /** `true`, or options of `tls.connect` such as `ca`. Default `false`. */
  readonly tls?: boolean | TlsOptions | undefined;
}

/** How the storage behaves. Everything has a default. */
export interface MemcachedStorageOptions extends ConnectionOptions {}

/** A server that was checked. */
interface PoolServer {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  /** `host:port`: what its share of the keys hangs on. */
  readonly name: string;
}

/** What `memcached()` was given, checked. */
export interface Settings extends ConnectionSettings {
  /** `memcached://host:port,host:port`, without name and password. */
  readonly label: string;
  readonly servers: readonly PoolServer[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: TlsOptions | undefined;
}

const usualPort = 11211;

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an address or an option that cannot be meant,
 *   `CACHEME_INVALID_DURATION` for a timeout that is no duration
 */
export function settings(
  target: string | MemcachedConnectionOptions,
  options: MemcachedStorageOptions,
): Settings {
  refuseUnknownOptions(options, ["connect", "commandTimeout", "connectTimeout"], "memcached()");
  const common = connectionSettings(options, "memcached()");
  const place = typeof target === "string" ? fromUrl(target) : target;
  if (typeof place !== "object" || place === null) {
    throw optionError(
      `memcached() was given ${shown(target)}. Give an address such as "memcached://host:11211", or { servers: [{ host }] }.`,
    );
  }
  refuseUnknownOptions(place, ["servers", "username", "password", "tls"], "memcached()");
  const servers = checkedServers(place.servers);
  const tls = tlsOf(place.tls);
  const { username, password } = credentials(place);
  const names = servers.map(({ name }) => name).join(",");
  return { ...common, label: `memcached${tls ? "s" : ""}://${names}`, servers, username, password, tls };
}

/** By hand: an address with several servers is none for `URL`. The text itself stays out of messages: it may hold a password. */
function fromUrl(text: string): MemcachedConnectionOptions {
  const [, secure, account, places] = /^memcached(s?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)\/?$/i.exec(text) ?? [];
  const servers = places?.split(",").map(serverFrom) ?? [];
  const [username, password, ...rest] = account?.split(":").map(decoded) ?? [];
  if (servers.length === 0 || servers.includes(undefined) || rest.length > 0) {
    throw optionError(
      "memcached() was given a text that is not an address of memcached servers. " +
        'Write "memcached://host:11211", or "memcacheds://" for TLS; a name and a password go before an "@", with what ' +
        "is special in them escaped; several servers are parted by commas.",
    );
  }
  return {
    servers: servers.filter((server) => server !== undefined),
    tls: secure !== "",
    username: username || undefined,
    password: password || undefined,
  };
}

function serverFrom(text: string): MemcachedServer | undefined {
  const [, inBrackets, name, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = inBrackets ?? name;
  if (host === undefined) return undefined;
  return port === undefined ? { host } : { host, port: Number(port) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function checkedServers(servers: readonly MemcachedServer[]): readonly PoolServer[] {
  if (!Array.isArray(servers) || servers.length === 0) {
    throw optionError(
      `The option servers of memcached() is ${shown(servers)}. Give a list of at least one server.`,
    );
  }
  const checked = servers.map(checkedServer);
  const names = checked.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw optionError(`memcached() was given the server ${twice} twice. Name it once, with a weight of 2.`);
  }
  return checked;
}

function checkedServer(server: MemcachedServer): PoolServer {
  refuseUnknownOptions(server, ["host", "port", "weight"], "a server of memcached()");
  const { host, port = usualPort, weight = 1 } = server;
  if (typeof host !== "string" || !/^[^\s,@/]+$/.test(host)) {
    throw optionError(`The host of a server of memcached() is ${shown(host)}. Give a name or an address.`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw optionError(
      `The port of the server ${host} of memcached() is ${shown(port)}. Give a number from 1 to 65535.`,
    );
  }
  if (typeof weight !== "number" || !(weight > 0) || weight === Number.POSITIVE_INFINITY) {
    throw optionError(
      `The weight of the server ${host} of memcached() is ${shown(weight)}. Give a number above 0.`,
    );
  }
  return { host, port, weight, name: `${host.includes(":") ? `[${host}]` : host}:${port}` };
}

/** The server's own file of accounts has them as `username:password`, and what it is told is `username password`. */
function credentials({ username, password }: MemcachedConnectionOptions): {
  readonly username: string | undefined;
  readonly password: string | undefined;
} {
  if (username === undefined && password === undefined) return { username, password };
  if (typeof username !== "string" || !/^[^\s:\p{Cc}]+$/u.test(username)) {
    throw optionError(
      "The option username of memcached() is not a name that a server can be told. Give one without spaces, colons " +
        "and control characters, together with its password.",
    );
  }
  if (typeof password !== "string" || password === "" || /[\s\p{Cc}]/u.test(password)) {
    throw optionError(
      "The option password of memcached() is not one that a server can be told. Give a text without spaces and " +
        "control characters, together with its username.",
    );
  }
  return { username, password };
}

function tlsOf(tls: boolean | TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  if (typeof tls === "object" && tls !== null && !Array.isArray(tls)) return tls;
  throw optionError(
    `The option tls of memcached() is ${shown(tls)}. Give true, false or options of tls.connect.`,
  );
}
