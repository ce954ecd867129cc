import type { Client } from "./client.js";
import { Cluster } from "./cluster.js";
import { DiscoveredNodes } from "./discovered-nodes.js";
import { loadIoredis, newClient } from "./ioredis.js";
import { IoredisClusterNodes } from "./ioredis-cluster-nodes.js";
import { mgetOf } from "./mget.js";
import { OneServer } from "./one-server.js";
import type { Settings, Target } from "./options.js";
import { masterOf } from "./sentinel.js";

/** Makes the client for a target. Loads ioredis, unless the program has given a client. */
export async function makeClient({
  label,
  target,
  connect,
  connectTimeout,
  commandTimeout,
}: Settings): Promise<Client> {
  const common = { connectTimeout, isPersistent: connect === "lazy" };
  if (target.kind === "client") return new OneServer({ ...common, client: target.client, own: undefined });
  const { keyPrefix } = keyOptions(target);
  if (target.kind === "clusterClient") {
    const { options } = target.client;
    const nodesPrefix = (options?.redisOptions?.keyPrefix ?? "") === keyPrefix;
    const nodes = new IoredisClusterNodes(target.client, connectTimeout);
    return new Cluster({ nodes, keyPrefix, nodesPrefix, natMap: options?.natMap });
  }
  const library = await loadIoredis(label);
  const { options } = target;
  if (target.kind === "cluster") {
    const { cluster } = target;
    const nodes = new DiscoveredNodes({ ...cluster, library, options, connectTimeout, commandTimeout });
    return new Cluster({ nodes, keyPrefix, nodesPrefix: true, natMap: cluster.natMap });
  }
  const own = newClient(library, options);
  const locate =
    target.kind === "sentinel"
      ? (signal: AbortSignal) => masterOf(library, target.sentinel, options, signal)
      : undefined;
  return new OneServer({ ...common, client: own, own, locate }, mgetOf(library, own));
}

/** Returns the prefix that clients put before keys, and whether they may send INFO. */
export function keyOptions(target: Target): { readonly keyPrefix: string; readonly sendsInfo: boolean } {
  const options = "client" in target ? target.client.options : target.options;
  const nodes = target.kind === "clusterClient" ? target.client.options?.redisOptions : options;
  return {
    keyPrefix: options?.keyPrefix ?? "",
    // Without a ready check there may be a proxy, which would end the connection.
    sendsInfo: !(nodes !== undefined && "enableReadyCheck" in nodes && nodes.enableReadyCheck === false),
  };
}
