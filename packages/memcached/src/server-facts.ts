import { elapsed, refusedConnection, unsupportedServer } from "cacheme/driver";
import type { Answer } from "./protocol.js";

/** What a server says of itself when a connection to it has been made: see {@link Connection}. */
export interface ServerFacts {
  readonly version: string;
  /**
   * Which run of which server this is. The CAS numbers, of which leases are made, begin anew with each run: a token of an
   * earlier one must not be taken for one of this.
   */
  readonly run: string;
  /** The most bytes that one item may take, with its name and the server's own 60 bytes; infinite where it is not said. */
  readonly longestItem: number;
  /** The server's clock when it said so, in seconds since the epoch. */
  readonly time: number;
  /** That moment on this process's monotonic clock, at the latest. */
  readonly heardAt: number;
}

/** Before 1.6.13 a store answers with the CAS of the item that was there before, which no lease can stand on. */
const oldest = [1, 6, 13] as const;

/** What the storage works with, for messages. */
export const needs: string = `memcached ${oldest.join(".")} or newer`;

/**
 * @param stats the answers to `stats` and to `stats settings`
 * @param label the server, for messages
 * @throws StorageError if the storage cannot work with such a server
 */
export function serverFacts(stats: ReadonlyMap<string, string>, label: string): ServerFacts {
  const version = stats.get("version") ?? "";
  if (isOlder(version)) throw unsupportedServer(label, `memcached ${version}`, needs);
  if (stats.get("cas_enabled") === "no") {
    const why = "the server was started with -C, without the CAS that leases stand on";
    throw refusedConnection(label, why, "Start it without -C.");
  }
  const time = Number(stats.get("time"));
  if (!Number.isSafeInteger(time) || time <= 0) {
    throw unsupportedServer(label, `a server of version ${version || "unknown"}`, needs, {
      why: "the statistics do not say what time it is",
    });
  }
  const limit = Number(stats.get("item_size_max"));
  return {
    version,
    // Both numbers come from one tick of the server's clock, so their difference is the same as long as it runs.
    run: `${stats.get("pid") ?? ""}-${time - Number(stats.get("uptime") ?? 0)}`,
    longestItem: limit > 0 ? limit : Number.POSITIVE_INFINITY,
    time,
    heardAt: elapsed(),
  };
}

/** Another product may have another way of counting: it is let in, and its answers will tell. */
function isOlder(version: string): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (parts === undefined) return false;
  for (const [index, least] of oldest.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

/** `STAT name value`, a line each. */
export function statsOf(answers: readonly Answer[]): ReadonlyMap<string, string> {
  const stats = new Map<string, string>();
  for (const { code } of answers) {
    const [, name, value] = /^STAT (\S+) (.*)$/.exec(code) ?? [];
    if (name !== undefined && value !== undefined) stats.set(name, value);
  }
  return stats;
}
