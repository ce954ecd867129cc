import type { RedisCluster, RedisSentinel, Server } from "@cacheme/test-services";
import { until } from "@cacheme/test-services/network/cleanup";
import { Redis } from "ioredis";

/** Several servers that the compliance suite treats as one. */
export interface Together {
  readonly url: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** Stops and starts all six nodes together. The Cluster is up when every node says so. */
export function wholeCluster({ url, nodes }: RedisCluster): Together {
  return together(url.replace(/^redis:/, "redis+cluster:"), nodes, async () => {
    for (const { port } of nodes) {
      await until(async () => (await asked(port, "cluster", "info")).includes("cluster_state:ok"));
    }
  });
}

/**
 * Stops and starts the servers together; the sentinels keep running. It is up when the sentinels
 * name a real master.
 */
export function behindSentinels({ url, master, replicas, sentinels }: RedisSentinel): Together {
  return together(url, [master, ...replicas], async () => {
    for (const { port } of sentinels) {
      await until(async () => {
        const [, named] = (await asked(port, "sentinel", "get-master-addr-by-name", "mymaster")).split(",");
        return (await asked(Number(named), "role")).startsWith("master");
      });
    }
  });
}

/** Sends one command on a connection of its own. */
export async function asked(port: number, command: string, ...words: (string | number)[]): Promise<string> {
  const client = new Redis(port, { retryStrategy: () => null, commandTimeout: 2000 });
  client.on("error", () => {});
  try {
    return String(await client.call(command, ...words.map(String)));
  } finally {
    client.disconnect();
  }
}

function together(url: string, servers: readonly Server[], untilUp: () => Promise<void>): Together {
  const all = (act: (server: Server) => Promise<void>) => Promise.all(servers.map(act));
  return {
    url,
    kill: async () => void (await all((server) => server.kill())),
    restart: async () => {
      await all((server) => server.restart());
      await untilUp();
    },
    pause: async () => void (await all((server) => server.pause())),
    resume: async () => {
      await all((server) => server.resume());
      await untilUp();
    },
  };
}
