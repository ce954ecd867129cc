import { ConfigurationError, type Duration, milliseconds } from "cacheme";
import { Redis, type RedisOptions } from "ioredis";

/** What the storage needs of a client of ioredis. A `Redis` of any version from 5.6 to 6 is one. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster?: boolean;
  /** For the storage's label only. */
  readonly options?: {
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly path?: string | undefined;
    readonly db?: number | undefined;
    readonly tls?: object | undefined;
  };
  connect(): Promise<void>;
  on(event: "ready" | "close", listener: () => void): unknown;
  off(event: "ready" | "close", listener: () => void): unknown;
  ping(): Promise<unknown>;
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>;
  unlink(keys: string[]): Promise<number>;
  pipeline(): RedisPipeline;
}

/** What the storage needs of a pipeline of ioredis. */
export interface RedisPipeline {
  set(key: string, value: Buffer): unknown;
  set(key: string, value: Buffer, unit: "PX", ttl: number): unknown;
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}

/** How the storage behaves. Everything has a default. */
export interface RedisStorageOptions {
  /**
   * `"eager"`: `connect()` (and so `registerStorage`) waits until the server answers, and rejects if it does not.
   * `"lazy"`: it returns at once and the connection is made in the background. A read waits for it up to `commandTimeout`;
   * once an attempt has failed, reads are misses at once until one succeeds.
   * Default `"eager"`.
   */
  readonly connect?: "eager" | "lazy" | undefined;
  /** The longest that any call may take, waiting for a connection included. Default `"1s"`. */
  readonly commandTimeout?: Duration | undefined;
  /** The longest that one attempt to connect may take, until the server is ready for commands. Default `"2s"`. */
  readonly connectTimeout?: Duration | undefined;
}

/** The options of ioredis that are the storage's own business. */
type Managed =
  | "autoResendUnfulfilledCommands"
  | "commandTimeout"
  | "connectTimeout"
  | "enableOfflineQueue"
  | "lazyConnect"
  | "maxRetriesPerRequest"
  | "retryStrategy"
  | "sentinels";

/** Why they are, or what to use in their place. */
const managed: Readonly<Record<Managed, string>> = {
  autoResendUnfulfilledCommands: "a command is never sent twice",
  commandTimeout: "give it as an option of the storage",
  connectTimeout: "give it as an option of the storage",
  enableOfflineQueue: "calls wait for a connection up to commandTimeout",
  lazyConnect: 'give connect: "lazy" as an option of the storage',
  maxRetriesPerRequest: "a command is never sent twice",
  retryStrategy: "the storage reconnects by itself, with a growing pause",
  sentinels: "Sentinel is not offered",
};

/** The options of ioredis for a client that the storage makes, less those that the storage decides. */
export type RedisConnectionOptions = Omit<RedisOptions, Managed>;

/** Options that were checked, with the client to use. */
export interface Settings {
  /** `redis://host:port/db`, without name and password. */
  readonly label: string;
  readonly connect: "eager" | "lazy";
  /** Milliseconds, as {@link connectTimeout}. */
  readonly commandTimeout: number;
  readonly connectTimeout: number;
  readonly client: RedisClient;
  /** The same client if it is ours to close, reset and reconnect. */
  readonly own: Redis | undefined;
}

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an address or an option that cannot be meant,
 *   `CACHEME_INVALID_DURATION` for a timeout that is no duration
 */
export function settings(
  target: string | RedisConnectionOptions | RedisClient,
  options: RedisStorageOptions,
): Settings {
  const { connect = "eager", commandTimeout = "1s", connectTimeout = "2s" } = options;
  if (connect !== "eager" && connect !== "lazy") {
    throw invalid(`The option connect of redis() is ${show(connect)}. Give "eager" or "lazy".`);
  }
  const common = {
    connect,
    commandTimeout: timeout(commandTimeout, "commandTimeout"),
    connectTimeout: timeout(connectTimeout, "connectTimeout"),
  };
  if (isClient(target)) {
    if (target.isCluster === true) {
      throw invalid(
        "redis() was given a client of a Redis Cluster, which it does not serve. Give a Redis client.",
      );
    }
    return { ...common, label: label(target.options ?? {}), client: target, own: undefined };
  }
  const own = typeof target === "string" ? make(...fromUrl(target)) : make(checked(target));
  return { ...common, label: label(own.options), client: own, own };
}

/** A client that does nothing of its own accord: it neither connects nor retries nor queues. See `client.ts`. */
function make(...target: readonly [string, RedisOptions] | readonly [RedisOptions]): Redis {
  const ours: RedisOptions = {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: null,
    // The storage bounds each attempt as a whole, the wait for a server that loads its data included.
    connectTimeout: 0,
  };
  if (target.length === 1) return new Redis({ maxLoadingRetryTime: 500, ...target[0], ...ours });
  return new Redis(target[0], { maxLoadingRetryTime: 500, ...target[1], ...ours });
}

/** The address in the two schemes that ioredis knows. */
function fromUrl(text: string): [string, RedisOptions] {
  const scheme = /^(redis|valkey)(s?):\/\//i.exec(text);
  if (scheme === null || !URL.canParse(text)) {
    // The text itself stays out of the message: it may hold a password.
    throw invalid(
      "redis() was given a text that is not an address of a Redis server. " +
        'Write "redis://host:6379", or "rediss://" for TLS; "valkey://" and "valkeys://" mean the same.',
    );
  }
  const secure = scheme[2] !== "";
  return [`${secure ? "rediss" : "redis"}://${text.slice(scheme[0].length)}`, {}];
}

function checked(options: RedisConnectionOptions): RedisOptions {
  if (typeof options !== "object" || options === null) {
    throw invalid(
      `redis() was given ${show(options)}. Give an address, options of ioredis, or a client of ioredis.`,
    );
  }
  for (const [name, instead] of Object.entries(managed)) {
    if (name in options && options[name as keyof RedisConnectionOptions] !== undefined) {
      throw invalid(`redis() does not take the option ${name} of ioredis: ${instead}.`);
    }
  }
  return options;
}

function isClient(target: string | RedisConnectionOptions | RedisClient): target is RedisClient {
  return typeof target === "object" && target !== null && "mgetBuffer" in target;
}

function label(options: NonNullable<RedisClient["options"]>): string {
  if (options.path) return `redis:${options.path}`;
  const host = options.host?.includes(":") ? `[${options.host}]` : (options.host ?? "localhost");
  const scheme = options.tls ? "rediss" : "redis";
  return `${scheme}://${host}:${options.port ?? 6379}${options.db ? `/${options.db}` : ""}`;
}

/** The longest that a timer of Node.js can wait; beyond it a timer fires at once. */
const longest = 2 ** 31 - 1;

function timeout(duration: Duration, option: string): number {
  const value = milliseconds(duration, `option ${option} of redis()`);
  if (value <= longest) return value;
  throw new ConfigurationError(
    "CACHEME_INVALID_DURATION",
    `The option ${option} of redis() is ${show(duration)}. Give at most ${longest} milliseconds.`,
  );
}

function invalid(message: string): ConfigurationError {
  return new ConfigurationError("CACHEME_INVALID_OPTION", message);
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
