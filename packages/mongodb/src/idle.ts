import { types } from "node:util";
import { setInterval } from "cacheme/driver";

/** How long a finished program may be kept alive, in milliseconds. */
const interval = 100;

/**
 * Lets the process end although a client is open. The driver has no way to say that of its sockets and timers, some of
 * which it makes anew ten times a second, so they are looked up as often, by the names that they have had in all versions
 * from 6.22 on. Where a later version has other names, nothing happens, and the program has to close its storage.
 *
 * A call that is under way keeps the process alive by its own timer.
 *
 * @returns what does so, until it is cleared; it keeps no process alive itself
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

/** What has been told to let the process end: a socket that is being connected would take down each further time. */
const resting = new WeakSet<object>();

/** A socket or a timer. */
function rest(handle: unknown): void {
  const unrefs = part(handle, "unref");
  if (typeof handle !== "object" || handle === null || typeof unrefs !== "function") return;
  if (resting.has(handle)) return;
  resting.add(handle);
  unrefs.call(handle);
}
