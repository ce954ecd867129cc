import { types } from "node:util";
import { setInterval } from "cacheme/driver";

/** Milliseconds that a finished program may stay alive. */
const interval = 100;

/** The sockets and timers inside a client; `*` is each of a list. */
const server = "topology.s.servers.*";
const paths = [
  "topology.s.srvPoller._timeout",
  `${server}.pool.connections.*.socket`,
  `${server}.pool.checkedOut.*.socket`,
  `${server}.pool.minPoolSizeTimer`,
  `${server}.monitor.connection.socket`,
  `${server}.monitor.monitorId.timerId`,
  `${server}.monitor.rttPinger.connection.socket`,
  `${server}.monitor.rttPinger.monitorId`,
];

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
  for (const path of paths) for (const handle of found(client, path.split("."))) rest(handle);
}

/** Finds what is at the end of a path. */
function* found(whole: unknown, [name, ...others]: readonly string[]): Generator<unknown> {
  if (name === undefined) yield whole;
  else if (typeof whole !== "object" || whole === null) return;
  else if (name !== "*") yield* found(Reflect.get(whole, name), others);
  else for (const part of partsOf(whole)) yield* found(part, others);
}

function partsOf(list: object): Iterable<unknown> {
  if (types.isMap(list)) return list.values();
  return Symbol.iterator in list ? (list as Iterable<unknown>) : [];
}

/** The unreferenced handles: a socket that is still connecting would count each further `unref`. */
const resting = new WeakSet<object>();

/** Unreferences a socket or a timer. */
function rest(handle: unknown): void {
  if (typeof handle !== "object" || handle === null || resting.has(handle)) return;
  const unrefs: unknown = Reflect.get(handle, "unref");
  if (typeof unrefs !== "function") return;
  resting.add(handle);
  unrefs.call(handle);
}
