import { elapsed, refusedConnection, StorageError, unsupportedServer } from "cacheme/driver";
import type { Answer } from "./answers.js";

/** A server's properties, which the handshake reads. */
export interface ServerFacts {
  readonly version: string;
  /** Whether the server is a proxy, whose statistics are not those of the servers behind it. */
  readonly isProxy: boolean;
  /** The run of the server's process. CAS numbers begin again, so tokens of another run are refused. */
  readonly run: string;
  /** The most bytes of one item, with name and the server's own 60. Infinite if it is not known. */
  readonly longestItem: number;
  /** The server's clock at the handshake, in seconds since the epoch. */
  readonly time: number;
  /** The latest time of that reading on this process's monotonic clock. */
  readonly heardAt: number;
}

/** Before 1.6.13 a write answers with the CAS of the item before it, so leases do not hold. */
const oldest: Version = [1, 6, 13];

/** Before 1.6.20 a proxy reverses the order of commands that arrive together. */
const oldestProxy: Version = [1, 6, 20];

type Version = readonly [number, number, number];

/** The supported servers, for messages. */
export const needs: string = `memcached ${oldest.join(".")} or newer`;

/**
 * @param stats the answers to `stats` and to `stats settings`
 * @param label the server, for messages
 * @throws StorageError if the storage cannot work with such a server
 */
export function serverFacts(stats: ReadonlyMap<string, string>, label: string): ServerFacts {
  const version = stats.get("version") ?? "";
  if (isOlder(version, oldest)) throw unsupportedServer(label, `memcached ${version}`, needs);
  const passesOn = isProxy(stats);
  if (passesOn && isOlder(version, oldestProxy)) {
    const found = `memcached ${version} as a proxy`;
    throw unsupportedServer(label, found, `memcached ${oldestProxy.join(".")} or newer of a proxy`, {
      why: "commands that are sent at once are carried out in reverse order",
    });
  }
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
    isProxy: passesOn,
    // Both numbers come from one tick of the server's clock, so their difference is the same as
    // long as it runs.
    run: `${stats.get("pid") ?? ""}-${time - Number(stats.get("uptime") ?? 0)}`,
    longestItem: limit > 0 ? limit : Number.POSITIVE_INFINITY,
    time,
    heardAt: elapsed(),
  };
}

/** Accepts a version of another form: the trial tells whether that product works. */
function isOlder(version: string, least: Version): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (parts === undefined) return false;
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

/** Reads the lines `STAT name value`. */
export function statsOf(answers: readonly Answer[]): ReadonlyMap<string, string> {
  const stats = new Map<string, string>();
  for (const { code } of answers) {
    const [, name, value] = /^STAT (\S+) (.*)$/.exec(code) ?? [];
    if (name !== undefined && value !== undefined) stats.set(name, value);
  }
  return stats;
}

/** The reason why there are no leases behind memcached's proxy. */
export const noLeasesBehindProxy: string =
  "The address is that of memcached's proxy. It hides when a server behind it restarts and counts its CAS numbers from the " +
  "beginning, so two processes could hold one lease. Give the addresses of the servers themselves to have leases.";

/**
 * Whether the statistics are those of a proxy. `stats settings` says so since 1.6.15. Since 1.6.13 only
 * a proxy's `stats` count the reloads of its configuration.
 */
function isProxy(stats: ReadonlyMap<string, string>): boolean {
  return stats.get("proxy_enabled") === "yes" || stats.has("proxy_config_reloads");
}

/**
 * Refuses to lease through a proxy. A lazy storage learns what the server is from the first
 * connection, so a caller may hold its leases by then.
 *
 * @throws StorageError `CACHEME_NOT_OFFERED` with the reason
 */
export function refuseProxy(server: { readonly isProxy: boolean; readonly name: string }): void {
  if (!server.isProxy) return;
  throw new StorageError(
    "CACHEME_NOT_OFFERED",
    `${server.name} does not offer leases: ${noLeasesBehindProxy}`,
  );
}
