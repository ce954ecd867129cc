import type { RedisCluster } from "@cacheme/test-services";
import type { ComplianceServer } from "@cacheme/testkit";
import { Logger } from "@valkey/valkey-glide";
import { Redis } from "ioredis";

// GLIDE writes a line for each lost connection.
Logger.setLoggerConfig("off");

/** The address of a Redis server as `glide()` takes it. */
export function addressOf(url: string): string {
  return url.replace(/^redis/, "glide");
}

/** Stops and starts all nodes together. The cluster is up when every node says so. */
export function wholeCluster({ url, nodes }: RedisCluster): ComplianceServer {
  const untilUp = () => Promise.all(nodes.map(({ port }) => untilNodeIsUp(port)));
  return {
    url: url.replace(/^redis(\+cluster)?:/, "glide+cluster:"),
    kill: async () => void (await Promise.all(nodes.map((node) => node.kill()))),
    pause: async () => void (await Promise.all(nodes.map((node) => node.pause()))),
    restart: async () => {
      await Promise.all(nodes.map((node) => node.restart()));
      await untilUp();
    },
    resume: async () => {
      await Promise.all(nodes.map((node) => node.resume()));
      await untilUp();
    },
  };
}

/** Asks again until the node says so. The test's time limit ends it. */
async function untilNodeIsUp(port: number): Promise<void> {
  for (;;) {
    const client = new Redis(port, { retryStrategy: () => null, commandTimeout: 2000 });
    client.on("error", () => {});
    try {
      if (String(await client.cluster("INFO")).includes("cluster_state:ok")) return;
    } catch {
      // Asks a node again that is down.
    } finally {
      client.disconnect();
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
