import type { RedisCluster, RedisSentinel, Server } from "@cacheme/test-services";
import { Redis } from "ioredis";

/** What the compliance suite does to a server, done to all servers of a kind at once. */
export interface Together {
  readonly url: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** All six nodes go down and come up together; it is up when every node says that the cluster is. */
export function wholeCluster({ url, nodes }: RedisCluster): Together {
  return together(url.replace(/^redis:/, "redis+cluster:"), nodes, async () => {
    for (const { port } of nodes) {
      await until(async () => (await asked(port, "cluster", "info")).includes("cluster_state:ok"));
    }
  });
}

/** The servers go down and come up together, the sentinels stay; it is up when a named master is one. */
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

/** Asks again until it is so; the test's own time limit ends it. */
export async function until(isSo: () => unknown): Promise<void> {
  for (;;) {
    try {
      if (await isSo()) return;
    } catch {
      // A server that is down is asked again.
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One command on a connection of its own. */
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
