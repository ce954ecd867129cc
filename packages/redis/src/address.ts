import { type ConfigurationError, OptionTable, optionError, optionKind, parseAddress } from "cacheme/driver";
import { type Address, defined, type RedisConnectionOptions } from "./connection-options.js";

/** `redis`, `rediss`, `valkey`, `valkeys`, each also with `+cluster` or `+sentinel`. */
const schemeForm = /^(?:redis|valkey)(s?)(?:\+(cluster|sentinel))?$/;

const text = optionKind("a string", (value): value is string => typeof value === "string");
const family = optionKind(
  "0, 4 or 6",
  (value): value is number => typeof value === "number" && [0, 4, 6].includes(value),
  Number,
);

/** Options of ioredis that an address may have as parameters, as in ioredis's own addresses. */
const parameterTable = new OptionTable("redis()", {
  connectionName: { kind: text, inAddress: true },
  family: { kind: family, inAddress: true },
  keyPrefix: { kind: text, inAddress: true },
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` */
export function optionsIn(address: string): RedisConnectionOptions {
  const { scheme = "", servers = [], path = [], parameters, ...account } = parseAddress(address) ?? {};
  const [isScheme, tls, kind] = schemeForm.exec(scheme) ?? [];
  if (isScheme === undefined) throw unreadable();
  const given = parameterTable.fromParameters(parameters ?? new URLSearchParams());
  const options: RedisConnectionOptions = {
    ...(tls === "s" && { tls: {} }),
    ...defined({ ...account, ...parameterTable.check(given) }),
  };
  const usualPort = kind === "sentinel" ? 26_379 : 6379;
  const places = servers.map(({ host, port = usualPort }): Address => ({ host, port }));
  const [first, ...others] = path;
  if (kind === "cluster") {
    if (places.length === 0 || path.length > 0) throw unreadable();
    return { ...options, cluster: places };
  }
  if (kind === "sentinel") {
    if (places.length === 0 || first === undefined) throw unreadable();
    const sentinelTLS = tls === "s" && { sentinelTLS: {} };
    return { ...options, ...sentinelTLS, ...databaseIn(others), sentinels: places, name: first };
  }
  const [place = { host: "localhost", port: usualPort }, ...more] = places;
  if (more.length > 0) throw unreadable();
  return { ...options, ...place, ...databaseIn(path) };
}

function databaseIn([number, ...others]: readonly string[]): RedisConnectionOptions {
  if (number === undefined) return {};
  if (others.length > 0 || !/^\d{1,9}$/.test(number)) throw unreadable();
  return { db: Number(number) };
}

/** Leaves the address out of the message, because it may hold a password. */
function unreadable(): ConfigurationError {
  return optionError(
    "redis() was given a string that is not an address of a Redis server. " +
      'Write "redis://host:6379", or "rediss://" for TLS; "valkey://" and "valkeys://" mean the same. ' +
      'Write a Cluster as "redis+cluster://host:6379,host:6379", and a master behind sentinels as ' +
      '"redis+sentinel://host:26379,host:26379/mymaster". Parameters are family, keyPrefix and connectionName; give other ' +
      "options as an object.",
  );
}
