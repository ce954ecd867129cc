import type { RedisOptions } from "ioredis";
import type { Client } from "./client.js";
import { Cluster } from "./cluster.js";
import { GivenNodes } from "./given-nodes.js";
import { made } from "./made.js";
import { type Library, OnDemand } from "./on-demand.js";
import { OneServer } from "./one-server.js";
import type { Settings } from "./options.js";
import { OwnNodes } from "./own-nodes.js";
import { masterOf } from "./sentinel.js";

/** What talks to the target, and what it puts before every key by itself. */
export function clientOf({ label, target, connect, connectTimeout, commandTimeout }: Settings): {
  readonly client: Client;
  readonly keyPrefix: string;
} {
  const common = { connectTimeout, isPersistent: connect === "lazy" };
  switch (target.kind) {
    case "client": {
      const { client } = target;
      return {
        client: new OneServer({ ...common, client, own: undefined }),
        keyPrefix: client.options?.keyPrefix ?? "",
      };
    }
    case "server": {
      const { options } = target;
      const make = (library: Library) => {
        const own = made(library, options);
        return new OneServer({ ...common, client: own, own });
      };
      return { client: new OnDemand(make, label), keyPrefix: prefixIn(options) };
    }
    case "sentinel": {
      const { options, sentinel } = target;
      const make = (library: Library) => {
        const own = made(library, options);
        const locate = (signal: AbortSignal) => masterOf(library, sentinel, options, signal);
        return new OneServer({ ...common, client: own, own, locate });
      };
      return { client: new OnDemand(make, label), keyPrefix: prefixIn(options) };
    }
    case "cluster": {
      const { options, cluster } = target;
      const keyPrefix = prefixIn(options);
      const make = (library: Library) => {
        const nodes = new OwnNodes({ ...cluster, library, options, connectTimeout, commandTimeout });
        return new Cluster({ nodes, keyPrefix, nodesPrefix: true, natMap: cluster.natMap });
      };
      return { client: new OnDemand(make, label), keyPrefix };
    }
    case "clusterClient": {
      const { options } = target.client;
      const keyPrefix = options?.keyPrefix ?? "";
      const nodesPrefix = (options?.redisOptions?.keyPrefix ?? "") === keyPrefix;
      const nodes = new GivenNodes(target.client, connectTimeout);
      return { client: new Cluster({ nodes, keyPrefix, nodesPrefix, natMap: options?.natMap }), keyPrefix };
    }
  }
}

function prefixIn({ keyPrefix }: RedisOptions): string {
  return keyPrefix ?? "";
}
