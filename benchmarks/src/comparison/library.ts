/** A need of a row that not every library meets. */
export type Feature = "tags" | "signal" | "hit count";

/** The cache that a row asks for. Times are in milliseconds. */
export interface SetUp {
  /** The places of the values. A library without tiers takes "redis" for "both". */
  readonly tiers: "memory" | "redis" | "both";
  /** The address of Redis; not used by "memory". */
  readonly redisUrl?: string;
  readonly ttl: number;
  readonly load: (key: string) => Promise<unknown>;
  /** Loads many at once, for libraries that can. The values are in the order of the keys. */
  readonly loadAll?: (keys: readonly string[]) => Promise<unknown[]>;
  /** How long an expired value may still be returned while its successor loads, or if its load fails. */
  readonly staleFor?: number;
  /** The rest of the ttl at which a read starts a refresh in the background. */
  readonly refreshAt?: number;
  readonly loadTimeout?: number;
  /** How long the error of a load is kept. */
  readonly errorTtl?: number;
  /** The tag of every key. */
  readonly tag?: string;
  /** Tells other instances what was invalidated. */
  readonly bus?: boolean;
  /**
   * How the program prepares for a Redis in trouble: with the settings that the library's documentation gives for it, or with
   * these and a timeout of 1 s in the Redis client's own options.
   */
  readonly prepared?: "as documented" | "with client timeouts";
}

/** A library's cache, as a program uses it. */
export interface Cache {
  /** The read that loads a missing value. */
  get(key: string, signal?: AbortSignal): Promise<unknown>;
  /** The read of many keys in one call, for libraries that have one. */
  getMany?(keys: readonly string[]): Promise<unknown>;
  invalidate(key: string): Promise<unknown>;
  invalidateTag?(tag: string): Promise<unknown>;
  hitCount?(): number;
}

/** A library in the configuration that its documentation recommends. */
export interface Library {
  readonly name: string;
  /** The packages that a user installs, the library's own first. */
  readonly packages: readonly string[];
  /** Needs that the documentation does not mention: their rows are not run. */
  readonly lacks: readonly Feature[];
  open(setUp: SetUp): Promise<Cache>;
}

/** Options for ioredis, with its own timeout if the row wants that. */
export function ioredisOptions({ redisUrl, prepared }: SetUp) {
  const { hostname, port } = new URL(redisUrlOf(redisUrl));
  const timeout = prepared === "with client timeouts" ? { commandTimeout: 1000 } : {};
  return { host: hostname, port: Number(port), ...timeout };
}

/** Options for the client `redis`, with its own timeouts if the row wants that. */
export function nodeRedisOptions({ redisUrl, prepared }: SetUp) {
  const timeouts =
    prepared === "with client timeouts"
      ? { socket: { socketTimeout: 1000 }, commandOptions: { timeout: 1000 } }
      : {};
  return { url: redisUrlOf(redisUrl), ...timeouts };
}

/** @throws Error if the row gave no address */
export function redisUrlOf(url: string | undefined): string {
  if (url === undefined) throw new Error("a row with a Redis tier needs redisUrl");
  return url;
}
