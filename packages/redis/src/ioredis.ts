import { isError, StorageError } from "cacheme/driver";
import type { Command, Redis, RedisOptions } from "ioredis";
import type { NatMap } from "./connection-options.js";

/** The part of a client of ioredis that a connection uses. */
export interface Connectable {
  readonly status: string;
  connect(): Promise<void>;
  on(event: "ready" | "close", listener: () => void): unknown;
  off(event: "ready" | "close", listener: () => void): unknown;
}

/** The part of a `Redis` of ioredis, 5.6 to 6, that the storage uses. */
export interface RedisClient extends Connectable {
  /** For the storage's label, the prefix that the client puts before every key, and how it sends. */
  readonly options?: {
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly path?: string | undefined;
    readonly db?: number | undefined;
    readonly tls?: object | undefined;
    readonly keyPrefix?: string | undefined;
    readonly enableReadyCheck?: boolean | undefined;
    readonly enableAutoPipelining?: boolean | undefined;
  };
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
  callBuffer(...command: [name: string, ...words: (string | number | Buffer)[]]): Promise<unknown>;
  mgetBuffer(keys: string[]): Promise<(Buffer | null)[]>;
  unlink(keys: string[]): Promise<number>;
  pipeline(): RedisPipeline;
}

/** The part of a pipeline of ioredis that the storage uses. */
export interface RedisPipeline {
  callBuffer(...command: [name: string, ...words: (string | number | Buffer)[]]): unknown;
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}

/** The part of a `Cluster` of ioredis, 5.6 to 6, that the storage uses. */
export interface RedisClusterClient extends Connectable {
  readonly isCluster: boolean;
  readonly options?: {
    readonly keyPrefix?: string | undefined;
    readonly natMap?: NatMap | undefined;
    readonly redisOptions?:
      | { readonly keyPrefix?: string | undefined; readonly enableReadyCheck?: boolean | undefined }
      | undefined;
  };
  /** The addresses that serve each slot, `host:port`, the master's first. */
  readonly slots: string[][];
  /** "refresh" follows each answer about the slots, which the client also asks for by itself. */
  on(event: "ready" | "close" | "refresh", listener: () => void): unknown;
  off(event: "ready" | "close" | "refresh", listener: () => void): unknown;
  nodes(role: "all" | "master"): RedisClient[];
  refreshSlotsCache(callback: (error?: Error | null) => void): void;
}

/** The part of the package ioredis that the storage uses. */
export interface Library {
  readonly Redis: typeof Redis;
  readonly Command: typeof Command;
}

/**
 * Loads ioredis, which takes longer than loading all of Cacheme: so a program that has not
 * connected yet does not wait for it.
 *
 * @throws StorageError `CACHEME_MISSING_PACKAGE` if ioredis is not installed
 */
export async function loadIoredis(label: string): Promise<Library> {
  try {
    return await import("ioredis");
  } catch (cause) {
    // If ioredis is there and a package that it needs is missing, its own error says so.
    if (!isError(cause) || !/^Cannot find (?:package|module) 'ioredis'/.test(cause.message)) throw cause;
    const message = `${label} needs the package ioredis, which is not installed. Install it: npm install ioredis.`;
    throw new StorageError("CACHEME_MISSING_PACKAGE", message, { cause });
  }
}

/** A client with these neither connects nor retries nor queues by itself. See `connection.ts`. */
export const passive: RedisOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  retryStrategy: () => null,
  maxRetriesPerRequest: null,
  // The storage bounds each attempt as a whole, the wait for a server that loads its data included.
  connectTimeout: 0,
};

export function newClient({ Redis }: Library, options: RedisOptions): Redis {
  return new Redis({ maxLoadingRetryTime: 500, ...options, ...passive });
}

/** Returns the name of the command that the server refused with this error. */
export function commandName(error: Error): string | undefined {
  const command: unknown = "command" in error ? error.command : undefined;
  if (typeof command !== "object" || command === null || !("name" in command)) return undefined;
  return String(command.name);
}
