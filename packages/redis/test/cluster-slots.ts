import type { RedisCluster } from "@cacheme/test-services";
import { asked } from "./several-servers.js";

/** Asks the first node for the port of a slot's master. */
export async function portOf({ nodes }: RedisCluster, slot: number): Promise<number> {
  const answer = await asked(nodes[0]!.port, "cluster", "nodes");
  for (const line of answer.split("\n")) {
    const [, address = "", flags = "", , , , , , ...slots] = line.split(" ");
    const has = slots.some((range) => {
      const [first = "", last = first] = range.split("-");
      return Number(first) <= slot && slot <= Number(last);
    });
    if (flags.includes("master") && has) return Number(/:(\d+)@/.exec(address)?.[1]);
  }
  throw new Error(`no master has the slot ${slot}`);
}

/** Moves a slot as `redis-cli --cluster reshard` does: key by key, while clients continue. */
export async function moveSlot(cluster: RedisCluster, slot: number, from: number, to: number): Promise<void> {
  const [fromId, toId] = [await asked(from, "cluster", "myid"), await asked(to, "cluster", "myid")];
  await asked(to, "cluster", "setslot", slot, "importing", fromId);
  await asked(from, "cluster", "setslot", slot, "migrating", toId);
  for (;;) {
    const keys = (await asked(from, "cluster", "getkeysinslot", slot, 5)).split(",").filter(Boolean);
    if (keys.length === 0) break;
    await asked(from, "migrate", "127.0.0.1", to, "", 0, 5000, "keys", ...keys);
  }
  for (const port of [to, from]) await asked(port, "cluster", "setslot", slot, "node", toId);
  for (const { port } of cluster.nodes) {
    if (port !== from && port !== to && (await isMaster(port))) {
      await asked(port, "cluster", "setslot", slot, "node", toId);
    }
  }
}

export async function isMaster(port: number): Promise<boolean> {
  return (await asked(port, "role")).startsWith("master");
}
