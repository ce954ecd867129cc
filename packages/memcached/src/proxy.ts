import { StorageError } from "cacheme/driver";

/** The reason why there are no leases behind memcached's proxy. */
export const noLeasesBehindProxy: string =
  "The address is that of memcached's proxy. It hides when a server behind it restarts and counts its CAS numbers from the " +
  "beginning, so two processes could hold one lease. Give the addresses of the servers themselves to have leases.";

/**
 * Whether the answers to `stats` and `stats settings` are those of a proxy.
 *
 * memcached that was started with `-o proxy_config` says so in `stats settings` since 1.6.15. In
 * `stats` it counts the reloads of its configuration since 1.6.13; a server that is no proxy leaves
 * that line out.
 */
export function isProxy(stats: ReadonlyMap<string, string>): boolean {
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
