import { elapsed, refusedConnection, StorageError, unsupportedServer } from "cacheme/driver";
import type { Answer } from "./answers.js";
import type { Connection } from "./connection.js";
import type { Settings } from "./options.js";
import { isErrorAnswer, refusal } from "./trouble.js";

/** The item of the command that sends the account. A server with accounts ignores the name. */
export const accountItem = "#cacheme:account";

/** A server's properties, which the handshake reads. */
export interface ServerFacts {
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

type Version = readonly [number, number, number];

/** Before 1.6.13 a write answers with the CAS of the item before it, so leases do not hold. */
const oldest: Version = [1, 6, 13];

/** Before 1.6.20 a proxy reverses the order of commands that arrive together. */
const oldestProxy: Version = [1, 6, 20];

/** The supported servers, for messages. */
export const needs: string = `memcached ${oldest.join(".")} or newer`;

/**
 * Sends the account on a new connection, and reads the server's properties.
 *
 * @param label the server, for messages
 * @throws Refusal with the server's words if it refuses the account, StorageError if the storage
 *   cannot work with it
 */
export async function handshake(
  connection: Connection,
  account: Settings,
  label: string,
): Promise<ServerFacts> {
  const { username, password } = account;
  if (username !== undefined) {
    const words = Buffer.from(`${username} ${password ?? ""}`);
    // A server without accounts would store an item. This item has expired before it is stored,
    // which removes the item with its name, so the name is one that no record of ours can have, and
    // hardly a record of another program. A server that does not know the account answers fewer
    // times than it got commands, so nothing is sent behind it.
    const command = [`set ${accountItem} 0 -1 ${words.length}\r\n`, words, "\r\n"];
    const [answer] = await connection.send(command, 1).answers.promise;
    if (answer !== undefined && isErrorAnswer(answer)) throw refusal(answer);
  }
  const asked = ["stats", "stats settings"].map(async (command) => {
    const answers = await connection.send([`${command}\r\n`], "END").answers.promise;
    const last = answers.at(-1);
    // A server of another kind ends its statistics with another line.
    if (last !== undefined && last.code !== "END") throw refusal(last);
    return answers;
  });
  return serverFacts(statsOf((await Promise.all(asked)).flat()), label);
}

/** @throws StorageError if the storage cannot work with a server of such statistics */
function serverFacts(stats: ReadonlyMap<string, string>, label: string): ServerFacts {
  const version = stats.get("version") ?? "";
  if (isOlder(version, oldest)) throw unsupportedServer(label, `memcached ${version}`, needs);
  // `stats settings` says so since 1.6.15. Since 1.6.13 only a proxy's `stats` count the reloads of
  // its configuration.
  const isProxy = stats.get("proxy_enabled") === "yes" || stats.has("proxy_config_reloads");
  if (isProxy && isOlder(version, oldestProxy)) {
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
  return {
    isProxy,
    // Both numbers come from one tick of the server's clock, so their difference is the same as
    // long as it runs.
    run: `${stats.get("pid") ?? ""}-${time - Number(stats.get("uptime") ?? 0)}`,
    longestItem: Number(stats.get("item_size_max")) || Number.POSITIVE_INFINITY,
    time,
    heardAt: elapsed(),
  };
}

/** Accepts a version of another form: the trial tells whether that product works. */
function isOlder(version: string, least: Version): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? least;
  const different = least.findIndex((wanted, index) => parts[index] !== wanted);
  return different !== -1 && Number(parts[different]) < Number(least[different]);
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
 * Refuses to lease through a proxy. A lazy storage learns what the server is from the first
 * connection, so a caller may hold its leases by then.
 *
 * @throws StorageError `CACHEME_NOT_OFFERED` with the reason
 */
export function refuseProxy({ isProxy, name }: { readonly isProxy: boolean; readonly name: string }): void {
  const message = `${name} does not offer leases: ${noLeasesBehindProxy}`;
  if (isProxy) throw new StorageError("CACHEME_NOT_OFFERED", message);
}
