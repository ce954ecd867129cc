/**
 * Lets the process end although a client is open: the driver has no way to say that, so its parts are looked up by the
 * names that they have had in all versions from 6.22 on. Where a later version has other names, nothing happens, and the
 * program has to close its storage.
 *
 * A call that is under way keeps the process alive by its own timer.
 */
export function unref(client: unknown): void {
  const servers = part(part(part(client, "topology"), "s"), "servers");
  if (!(servers instanceof Map)) return;
  for (const server of servers.values()) {
    const pool = part(server, "pool");
    for (const connection of [...each(part(pool, "connections")), ...each(part(pool, "checkedOut"))]) {
      rest(part(connection, "socket"));
    }
    rest(part(pool, "minPoolSizeTimer"));
    const monitor = part(server, "monitor");
    rest(part(part(monitor, "connection"), "socket"));
    rest(part(part(monitor, "monitorId"), "timerId"));
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

/** A socket or a timer. */
function rest(handle: unknown): void {
  const unrefs = part(handle, "unref");
  if (typeof unrefs === "function") unrefs.call(handle);
}
