import type { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import * as kit from "cacheme/driver";

/** A client of GLIDE for one server, or for a cluster. */
export type AnyGlideClient = GlideClient | GlideClusterClient;

/** How the storage behaves. Everything has a default. */
export interface GlideStorageOptions extends kit.ConnectionOptions {}

/** Options that were checked. */
export interface Settings extends kit.ConnectionSettings {
  readonly label: string;
  readonly target: AnyGlideClient | Servers;
}

/** One server, or some nodes of a cluster. */
export interface Servers {
  readonly addresses: kit.ServerPlace[];
  readonly cluster: boolean;
  readonly credentials: { readonly username?: string; readonly password: string } | undefined;
  readonly databaseId: number;
  readonly useTLS: boolean;
}

const optionTable = new kit.OptionTable("glide()", kit.connectionRows);
const forms =
  'Give an address ("glide://host:6379/0", "glides://:password@host" for TLS, "glide+cluster://one,two"), ' +
  "or a client of GLIDE.";

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function settings(target: string | AnyGlideClient, options: GlideStorageOptions): Settings {
  const checked = optionTable.check(options);
  if (typeof target === "string") {
    const servers = serversAt(target);
    const scheme = `glide${servers.useTLS ? "s" : ""}${servers.cluster ? "+cluster" : ""}`;
    const database = servers.databaseId === 0 ? "" : `/${servers.databaseId}`;
    return {
      ...checked,
      label: `${scheme}://${servers.addresses.map(kit.serverName).join(",")}${database}`,
      target: servers,
    };
  }
  if (!isClient(target)) throw kit.optionError(`glide() was given ${kit.shown(target)}. ${forms}`);
  const scheme = isCluster(target) ? "glide+cluster" : "glide";
  return { ...checked, label: `${scheme}://(the program's own client)`, target };
}

export function isClient(target: unknown): target is AnyGlideClient {
  return typeof target === "object" && target !== null && "customCommand" in target;
}

export function isCluster(client: AnyGlideClient): client is GlideClusterClient {
  return "fcallWithRoute" in client;
}

function serversAt(text: string): Servers {
  const address = kit.parseAddress(text);
  const { scheme = "", username, password, servers = [], path = [], parameters } = address ?? {};
  const [, tls, cluster] = /^glide(s?)(\+cluster)?$/.exec(scheme) ?? [];
  const [database = "0", ...more] = path;
  const isFit = /^\d{1,4}$/.test(database) && more.length === 0 && parameters?.size === 0;
  if (tls === undefined || !isFit || (servers.length !== 1 && !(cluster && servers.length > 0))) {
    throw kit.optionError(`glide() was given a string that is not an address of a Valkey server. ${forms}`);
  }
  return {
    addresses: servers.map(({ host, port = 6379 }) => ({ host, port })),
    cluster: cluster !== undefined,
    credentials:
      password === undefined ? undefined : { ...(username !== undefined && { username }), password },
    databaseId: Number(database),
    useTLS: tls === "s",
  };
}
