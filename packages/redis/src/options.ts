import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
  optionError,
  refuseUnknownOptions,
  shown,
} from "cacheme/driver";
import type { RedisOptions } from "ioredis";
import { fromUrl } from "./address.js";

/** What the storage needs of a client of ioredis. A `Redis` of any version from 5.6 to 6 is one. */
export interface RedisClient {
  readonly status: string;
  /** For the storage's label, and for the prefix that the client puts before every key. */
  readonly options?: {
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly path?: string | undefined;
    readonly db?: number | undefined;
    readonly tls?: object | undefined;
    readonly keyPrefix?: string | undefined;
    readonly enableReadyCheck?: boolean | undefined;
  };
  connect(): Promise<void>;
  on(event: "ready" | "close", listener: () => void): unknown;
  off(event: "ready" | "close", listener: () => void): unknown;
  ping(): Promise<unknown>;
  info(): Promise<string>;
  scan(
    cursor: string,
    match: "MATCH",
    pattern: string,
    count: "COUNT",
    keys: number,
  ): Promise<[string, string[]]>;
  call(command: string, ...words: string[]): Promise<unknown>;
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>;
  unlink(keys: string[]): Promise<number>;
  pipeline(): RedisPipeline;
}

/** What the storage needs of a pipeline of ioredis. */
export interface RedisPipeline {
  callBuffer(...command: [name: string, ...words: (string | number | Buffer)[]]): unknown;
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}

/** What the storage needs of a client of ioredis for a Redis Cluster. A `Cluster` of any version from 5.6 to 6 is one. */
export interface RedisClusterClient {
  readonly isCluster: boolean;
  readonly status: string;
  readonly options?: {
    readonly keyPrefix?: string | undefined;
    readonly natMap?: NatMap | undefined;
    readonly redisOptions?: { readonly keyPrefix?: string | undefined } | undefined;
  };
  /** The addresses that serve each slot, `host:port`, the master's first. */
  readonly slots: string[][];
  connect(): Promise<void>;
  on(event: "ready" | "close", listener: () => void): unknown;
  off(event: "ready" | "close", listener: () => void): unknown;
  nodes(role: "all" | "master"): RedisClient[];
  refreshSlotsCache(callback: (error?: Error | null) => void): void;
}

/** Where one server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where a server can be reached that calls itself by another address, `host:port`. */
export type NatMap = { readonly [address: string]: Address } | ((address: string) => Address | null);

/** How the storage behaves. Everything has a default. */
export interface RedisStorageOptions extends ConnectionOptions {}

/** The options of ioredis that are the storage's own business. */
type Managed =
  | "autoResendUnfulfilledCommands"
  | "commandTimeout"
  | "connectTimeout"
  | "enableOfflineQueue"
  | "lazyConnect"
  | "maxRetriesPerRequest"
  | "retryStrategy"
  | "sentinelCommandTimeout"
  | "sentinelMaxConnections"
  | "sentinelReconnectStrategy"
  | "sentinelRetryStrategy";

/** Why they are, or what to use in their place. */
const managed: Readonly<Record<Managed, string>> = {
  autoResendUnfulfilledCommands: "a command is never sent twice",
  commandTimeout: "give it as an option of the storage",
  connectTimeout: "give it as an option of the storage",
  enableOfflineQueue: "calls wait for a connection up to commandTimeout",
  lazyConnect: 'give connect: "lazy" as an option of the storage',
  maxRetriesPerRequest: "a command is never sent twice",
  retryStrategy: "the storage reconnects by itself, with a growing pause",
  sentinelCommandTimeout: "connectTimeout bounds the sentinels' answer too",
  sentinelMaxConnections: "all sentinels are asked at once",
  sentinelReconnectStrategy: "the sentinels are asked when a connection is made",
  sentinelRetryStrategy: "the storage reconnects by itself, with a growing pause",
};

/** What {@link RedisConnectionOptions} says in other words than ioredis. */
type Restated = "sentinels" | "name" | "natMap";

/** The options of ioredis for connections that the storage makes, less those that the storage decides. */
export interface RedisConnectionOptions extends Omit<RedisOptions, Managed | Restated> {
  /** Some nodes of a Redis Cluster. The others are found by them; all other options count for every node. */
  readonly cluster?: readonly Address[] | undefined;
  /** The sentinels that know where the master is; with {@link name}. */
  readonly sentinels?: readonly Address[] | undefined;
  /** What the sentinels call the master. */
  readonly name?: string | undefined;
  /** For servers of a Cluster, or named by sentinels, that know themselves by other addresses than we do. */
  readonly natMap?: NatMap | undefined;
}

/** Options that were checked. */
export interface Settings extends ConnectionSettings {
  /** `redis://host:port/db`, without name and password. */
  readonly label: string;
  readonly target: Target;
}

/** What there is at the other end, or the client that knows. */
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

const where = "redis()";

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an address or an option that cannot be meant,
 *   `CACHEME_INVALID_DURATION` for a timeout that is no duration
 */
export function settings(
  target: string | RedisConnectionOptions | RedisClient | RedisClusterClient,
  options: RedisStorageOptions,
): Settings {
  refuseUnknownOptions(options, ["connect", "commandTimeout", "connectTimeout"], where);
  const checked = targetOf(target);
  return { ...connectionSettings(options, where), label: label(checked), target: checked };
}

function targetOf(target: string | RedisConnectionOptions | RedisClient | RedisClusterClient): Target {
  if (typeof target === "string") return fromOptions(fromUrl(target));
  if (typeof target !== "object" || target === null) {
    throw optionError(
      `redis() was given ${shown(target)}. Give an address, options of ioredis, or a client of ioredis.`,
    );
  }
  if (isClusterClient(target)) return { kind: "clusterClient", client: target };
  if (isClient(target)) return { kind: "client", client: target };
  for (const [name, instead] of Object.entries(managed)) {
    if (name in target && target[name as keyof typeof target] !== undefined) {
      throw optionError(`redis() does not take the option ${name} of ioredis: ${instead}.`);
    }
  }
  return fromOptions(target);
}

function fromOptions({ cluster, sentinels, name, natMap, ...options }: RedisConnectionOptions): Target {
  if (cluster !== undefined && sentinels !== undefined) {
    throw optionError("redis() was given the options cluster and sentinels. Leave one of them out.");
  }
  if (cluster !== undefined) {
    if (options.db)
      throw optionError(
        "redis() was given a db and a cluster. A Redis Cluster has no databases: leave db out.",
      );
    return { kind: "cluster", options, cluster: { seeds: addresses(cluster, "cluster"), natMap } };
  }
  if (sentinels === undefined) {
    if (name !== undefined)
      throw optionError("redis() was given a name without sentinels. Give both, or leave it out.");
    return { kind: "server", options };
  }
  if (typeof name !== "string" || name === "") {
    throw optionError(
      'redis() was given sentinels without the name of the master. Give it as the option name, such as "mymaster".',
    );
  }
  const { sentinelUsername, sentinelPassword, sentinelTLS } = options;
  const sentinelOptions: RedisOptions = {
    ...(options.family === undefined ? {} : { family: options.family }),
    ...(sentinelUsername == null ? {} : { username: sentinelUsername }),
    ...(sentinelPassword == null ? {} : { password: sentinelPassword }),
    ...(sentinelTLS === undefined ? {} : { tls: sentinelTLS }),
  };
  const sentinel = { sentinels: addresses(sentinels, "sentinels"), name, sentinelOptions, natMap };
  return { kind: "sentinel", options, sentinel };
}

/** Checked, and without whatever else an object has: a password of a node's own would come to light in a label. */
function addresses(given: readonly Address[], option: string): Address[] {
  const usual = option === "cluster" ? 6379 : 26_379;
  const list = Array.isArray(given) ? given : [];
  const made = list.map(({ host, port = usual }: Partial<Address>) => ({ host, port }));
  const isFit = (address: { host: unknown; port: unknown }): address is Address =>
    typeof address.host === "string" && address.host !== "" && isPort(address.port);
  if (made.length > 0 && made.every(isFit)) return made;
  throw optionError(
    `The option ${option} of redis() is not a list of addresses. Give one or more, such as ` +
      `[{ host: "10.0.0.7", port: ${usual} }].`,
  );
}

function isPort(port: unknown): boolean {
  return typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536;
}

/** Where a server can be reached that calls itself so. */
export function mapped(address: Address, natMap: NatMap | undefined): Address {
  const name = nameOf(address);
  const found = typeof natMap === "function" ? natMap(name) : natMap?.[name];
  return found ?? address;
}

/** `host:port`, by which nodes are told apart. */
export function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
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

function labelOf({ path, host, port, db, tls }: NonNullable<RedisClient["options"]>): string {
  if (path) return `redis:${path}`;
  const address = `${bracketed(host ?? "localhost")}:${port ?? 6379}`;
  return `${tls ? "rediss" : "redis"}://${address}${db ? `/${db}` : ""}`;
}

function list(addresses: readonly Address[]): string {
  return addresses.map(({ host, port }) => `${bracketed(host)}:${port}`).join(",");
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
