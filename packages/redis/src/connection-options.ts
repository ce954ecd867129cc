import type { ServerPlace } from "cacheme/driver";
import type { RedisOptions } from "ioredis";

/** The host and the port of one server. */
export type Address = ServerPlace;

/** Maps a server's own address, `host:port`, to the address at which the program reaches it. */
export type NatMap = { readonly [address: string]: Address } | ((address: string) => Address | null);

/** The options of ioredis that the storage decides, and why, or what to use instead. */
export const managed = {
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
} as const;

/** Options that {@link RedisConnectionOptions} declares with types of its own. */
type Redeclared = "sentinels" | "name" | "natMap";

/** The options of ioredis, without those that the storage decides. */
export interface RedisConnectionOptions extends Omit<RedisOptions, keyof typeof managed | Redeclared> {
  /** Some nodes of a Redis Cluster, which name the others. Other options count for each node. */
  readonly cluster?: readonly Address[] | undefined;
  /** The sentinels that know where the master is; with {@link name}. */
  readonly sentinels?: readonly Address[] | undefined;
  /** The master's name among the sentinels. */
  readonly name?: string | undefined;
  /** For nodes, or servers behind sentinels, that the program reaches at other addresses. */
  readonly natMap?: NatMap | undefined;
}

/** Returns the options without those that are `undefined`, which ioredis would take for values. */
export function defined<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

/** Returns the address at which the program reaches a server that calls itself so. */
export function mapped(address: Address, natMap: NatMap | undefined): Address {
  const name = nameOf(address);
  const found = typeof natMap === "function" ? natMap(name) : natMap?.[name];
  return found ?? address;
}

/** `host:port`, which identifies a node. */
export function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
}
