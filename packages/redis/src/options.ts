import * as kit from "cacheme/driver";
import type { RedisOptions } from "ioredis";
import { optionsIn } from "./address.js";
import {
  type Address,
  defined,
  managed,
  type NatMap,
  type RedisConnectionOptions,
} from "./connection-options.js";
import type { RedisClient, RedisClusterClient } from "./ioredis.js";

/** How the storage behaves. Everything has a default. */
export interface RedisStorageOptions extends kit.ConnectionOptions {}

/** Options that were checked. */
export interface Settings extends kit.ConnectionSettings {
  /** `redis://host:port/db`, without name and password. */
  readonly label: string;
  readonly target: Target;
}

/** The servers that the storage connects to, or the program's client for them. */
export type Target =
  | { readonly kind: "server"; readonly options: RedisOptions }
  | { readonly kind: "sentinel"; readonly options: RedisOptions; readonly sentinel: SentinelSettings }
  | { readonly kind: "cluster"; readonly options: RedisOptions; readonly cluster: ClusterSettings }
  | { readonly kind: "client"; readonly client: RedisClient }
  | { readonly kind: "clusterClient"; readonly client: RedisClusterClient };

export interface SentinelSettings {
  readonly sentinels: readonly Address[];
  readonly name: string;
  readonly sentinelOptions: RedisOptions;
  readonly natMap: NatMap | undefined;
}

export interface ClusterSettings {
  readonly seeds: readonly Address[];
  readonly natMap: NatMap | undefined;
}

const optionTable = new kit.OptionTable("redis()", kit.connectionRows);

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function settings(
  target: string | RedisConnectionOptions | RedisClient | RedisClusterClient,
  options: RedisStorageOptions,
): Settings {
  const checked = optionTable.check(options);
  const found = targetOf(target);
  return { ...checked, label: label(found), target: found };
}

function targetOf(target: string | RedisConnectionOptions | RedisClient | RedisClusterClient): Target {
  if (typeof target === "string") return fromOptions(optionsIn(target));
  if (typeof target !== "object" || target === null) {
    throw refused(`${kit.shown(target)}. Give an address, options of ioredis, or a client of ioredis`);
  }
  if (isClusterClient(target)) return { kind: "clusterClient", client: target };
  if (isClient(target)) return { kind: "client", client: target };
  for (const [name, instead] of Object.entries(managed)) {
    if (Reflect.get(target, name) === undefined) continue;
    throw kit.optionError(`redis() does not take the option ${name} of ioredis: ${instead}.`);
  }
  return fromOptions(target);
}

function fromOptions({ cluster, sentinels, name, natMap, ...options }: RedisConnectionOptions): Target {
  if (cluster !== undefined) {
    if (sentinels !== undefined) throw refused("the options cluster and sentinels. Leave one of them out");
    if (options.db) throw refused("a db and a cluster. A Redis Cluster has no databases: leave db out");
    return { kind: "cluster", options, cluster: { seeds: addresses(cluster, "cluster"), natMap } };
  }
  if (sentinels === undefined) {
    if (name !== undefined) throw refused("a name without sentinels. Give both, or leave it out");
    return { kind: "server", options };
  }
  if (typeof name !== "string" || name === "") {
    const advice = 'Give it as the option name, such as "mymaster"';
    throw refused(`sentinels without the name of the master. ${advice}`);
  }
  const { family, sentinelUsername, sentinelPassword, sentinelTLS: tls } = options;
  const account = { username: sentinelUsername ?? undefined, password: sentinelPassword ?? undefined };
  const sentinelOptions: RedisOptions = defined({ family, tls, ...account });
  const sentinel = { sentinels: addresses(sentinels, "sentinels"), name, sentinelOptions, natMap };
  return { kind: "sentinel", options, sentinel };
}

/** Checks addresses, and drops all else, because a label must not show a node's password. */
function addresses(given: readonly Address[], option: string): Address[] {
  const usual = option === "cluster" ? 6379 : 26_379;
  const list = Array.isArray(given) ? given : [];
  const places = list.map(({ host, port = usual }: Address) => ({ host, port }));
  const isFit = ({ host, port }: Address) => typeof host === "string" && host !== "" && isPort(port);
  if (places.length > 0 && places.every(isFit)) return places;
  throw kit.optionError(
    `The option ${option} of redis() is not a list of addresses. Give one or more, such as ` +
      `[{ host: "10.0.0.7", port: ${usual} }].`,
  );
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536;
}

function refused(words: string): Error {
  return kit.optionError(`redis() was given ${words}.`);
}

function isClient(target: object): target is RedisClient {
  return "mgetBuffer" in target;
}

function isClusterClient(target: object): target is RedisClusterClient {
  return isClient(target) && "isCluster" in target && target.isCluster === true;
}

function label(target: Target): string {
  if (target.kind === "client") return labelOf(target.client.options ?? {});
  if (target.kind === "clusterClient") return "redis+cluster://(the program's own client)";
  const { options } = target;
  const scheme = options.tls ? "rediss" : "redis";
  if (target.kind === "cluster") return `${scheme}+cluster://${list(target.cluster.seeds)}`;
  if (target.kind === "server") return labelOf(options);
  const { sentinels, name } = target.sentinel;
  return `${scheme}+sentinel://${list(sentinels)}/${name}${options.db ? `/${options.db}` : ""}`;
}

function labelOf(options: NonNullable<RedisClient["options"]>): string {
  const { path, host = "localhost", port = 6379, db, tls } = options;
  if (path) return `redis:${path}`;
  return `${tls ? "rediss" : "redis"}://${kit.serverName({ host, port })}${db ? `/${db}` : ""}`;
}

function list(addresses: readonly Address[]): string {
  return addresses.map(kit.serverName).join(",");
}
