import { ConfigurationError } from "cacheme/driver";
import type { Address, RedisConnectionOptions } from "./options.js";

/**
 * `redis://`, `rediss://`, `valkey://`, `valkeys://`, each also with `+cluster` or `+sentinel`: scheme, credentials, servers,
 * path, parameters. Only the last two are for one server at a time, and only those have a form that `URL` can read.
 */
const form =
  /^(?:redis|valkey)(?<tls>s?)(?:\+(?<kind>cluster|sentinel))?:\/\/(?:(?<credentials>[^/?#]*)@)?(?<servers>[^@/?#]*)(?:\/(?<path>[^?#]*))?(?:\?(?<parameters>[^#]*))?$/i;

/**
 * The options that an address means.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function fromUrl(text: string): RedisConnectionOptions {
  const { tls, kind, credentials, servers = "", path = "", parameters } = form.exec(text)?.groups ?? {};
  if (tls === undefined) throw unreadable();
  const options: RedisConnectionOptions = {
    ...(tls === "" ? {} : { tls: {} }),
    ...credentialsIn(credentials),
    ...parametersIn(parameters),
  };
  const words = path.split("/").filter((word) => word !== "");
  switch (kind?.toLowerCase()) {
    case "cluster":
      if (words.length > 0) throw unreadable();
      return { ...options, cluster: listIn(servers, 6379) };
    case "sentinel": {
      const [name, db, ...more] = words;
      if (name === undefined || more.length > 0) throw unreadable();
      const sentinelTLS = tls === "" ? {} : { sentinelTLS: {} };
      return {
        ...options,
        ...sentinelTLS,
        ...databaseIn(db),
        sentinels: listIn(servers, 26_379),
        name: decoded(name),
      };
    }
    default: {
      const [db, ...more] = words;
      if (more.length > 0) throw unreadable();
      const [address = { host: "localhost", port: 6379 }, ...others] =
        servers === "" ? [] : listIn(servers, 6379);
      if (others.length > 0) throw unreadable();
      return { ...options, ...address, ...databaseIn(db) };
    }
  }
}

function listIn(servers: string, usualPort: number): Address[] {
  return servers.split(",").map((server) => {
    const [, bracketed, plain, port = `${usualPort}`] =
      /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i.exec(server) ?? [];
    const host = bracketed ?? plain;
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) throw unreadable();
    return { host: decoded(host), port: Number(port) };
  });
}

function credentialsIn(text: string | undefined): RedisConnectionOptions {
  if (text === undefined || text === "") return {};
  const [name = "", ...rest] = text.split(":");
  return {
    ...(name === "" ? {} : { username: decoded(name) }),
    ...(rest.length === 0 ? {} : { password: decoded(rest.join(":")) }),
  };
}

function databaseIn(text: string | undefined): RedisConnectionOptions {
  if (text === undefined) return {};
  if (!/^\d{1,9}$/.test(text)) throw unreadable();
  return { db: Number(text) };
}

/** Those of ioredis that an address can say; as in its own addresses. */
function parametersIn(text: string | undefined): RedisConnectionOptions {
  const options: { family?: number; keyPrefix?: string; connectionName?: string } = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (name === "family") options.family = Number(value);
    else if (name === "keyPrefix" || name === "connectionName") options[name] = value;
    else throw unreadable();
  }
  return options;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable();
  }
}

/** The text itself stays out of the message: it may hold a password. */
function unreadable(): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    "redis() was given a text that is not an address of a Redis server. " +
      'Write "redis://host:6379", or "rediss://" for TLS; "valkey://" and "valkeys://" mean the same. ' +
      'A Cluster is "redis+cluster://host:6379,host:6379", a master that sentinels know is ' +
      '"redis+sentinel://host:26379,host:26379/mymaster". Parameters are family, keyPrefix and connectionName; other ' +
      "options are given as an object.",
  );
}
