import { types } from "node:util";
import { setInterval } from "cacheme/driver";

/** Milliseconds that a finished program may stay alive. */
const interval = 100;

/**
 * Lets the process end while a client is open. The package mongodb cannot unref its sockets and
 * timers, and replaces some of them ten times a second. So this function finds them as often, by
 * the names that they have in all versions from 6.22 on. If a later version has other names, the
 * program must close its storage.
 *
 * A call that is under way keeps the process alive by its own timer.
 *
 * @returns the timer, which keeps no process alive itself. Clear it when the client is closed
 */
export function letIdle(client: unknown): NodeJS.Timeout {
  return setInterval(unref, interval, client).unref();
}

function unref(client: unknown): void {
  const topology = part(part(client, "topology"), "s");
  rest(part(part(topology, "srvPoller"), "_timeout"));
  const servers = part(topology, "servers");
  if (!types.isMap(servers)) return;
  for (const server of servers.values()) {
    const pool = part(server, "pool");
    for (const connection of each(part(pool, "connections"))) rest(part(connection, "socket"));
    for (const connection of each(part(pool, "checkedOut"))) rest(part(connection, "socket"));
    rest(part(pool, "minPoolSizeTimer"));
    const monitor = part(server, "monitor");
    rest(part(part(monitor, "connection"), "socket"));
    rest(part(part(monitor, "monitorId"), "timerId"));
    const pinger = part(monitor, "rttPinger");
    rest(part(part(pinger, "connection"), "socket"));
    rest(part(pinger, "monitorId"));
  }
}

function part(whole: unknown, name: string): unknown {
  return typeof whole === "object" && whole !== null && name in whole
    ? (whole as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function each(parts: unknown): Iterable<unknown> {
  const iterable = typeof parts === "object" && parts !== null && Symbol.iterator in parts;
  return iterable ? (parts as Iterable<unknown>) : [];
}

/** The unreferenced handles: a socket that is still connecting would count each further `unref`. */
const resting = new WeakSet<object>();

/** Unreferences a socket or a timer. */
function rest(handle: unknown): void {
  const unrefs = part(handle, "unref");
  if (typeof handle !== "object" || handle === null || typeof unrefs !== "function") return;
  if (resting.has(handle)) return;
  resting.add(handle);
  unrefs.call(handle);
}
