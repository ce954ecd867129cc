import type { ServerRun, StorageInfo } from "cacheme/driver";

/** Compatible servers give their own version beside that of Redis. */
const products: readonly (readonly [field: string, name: string])[] = [
  ["valkey_version", "Valkey"],
  ["dragonfly_version", "Dragonfly"],
  ["garnet_version", "Garnet"],
  ["kvrocks_version", "Kvrocks"],
];

/** Reads the answers to INFO of one server or of all masters. */
export function infoOf(texts: readonly string[]): StorageInfo {
  const all = texts.map(fields);
  const [first] = all;
  const said = (name: string): string => first?.get(name) ?? "";
  const product = products.find(([field]) => said(field) !== "") ?? ["redis_version", "Redis"];
  return {
    server: `${product[1]} ${said(product[0])}`,
    records: sum(all.map(recordsIn)),
    bytes: sum(all.map((one) => Number(one.get("used_memory") ?? 0))),
    details: {
      mode: said("redis_mode") || said("server_mode"),
      role: said("role"),
      masters: texts.length,
      replicas: sum(all.map((one) => Number(one.get("connected_slaves") ?? 0))),
      maxmemory: sum(all.map((one) => Number(one.get("maxmemory") ?? 0))),
      maxmemoryPolicy: said("maxmemory_policy"),
    },
  };
}

/**
 * Reads the run from the answers to INFO of one server or of all masters. The id of its replication
 * changes when a replica is promoted. Its `run_id` stays the same then.
 *
 * @throws Error if a server does not tell its run, or if a node of a Cluster has lost its role
 */
export function runOf(texts: readonly string[]): ServerRun {
  const all = texts.map(fields);
  if (all.some((one) => !one.get("run_id"))) throw new Error("INFO has no run_id");
  if (all.some((one) => one.get("redis_mode") === "cluster" && one.get("role") !== "master"))
    throw new Error("a node of the Cluster is no master any more");
  const ids = all.map((one) => `${one.get("run_id")}/${one.get("master_replid") ?? ""}`).sort();
  const starts = all.map((one) => {
    // The uptime is rounded down, so the start is never too early.
    const now = Number(one.get("server_time_usec")) / 1_000;
    return Math.ceil(now - Number(one.get("uptime_in_seconds")) * 1_000);
  });
  const latest = Math.max(...starts);
  return { id: ids.join(), startedAt: Number.isNaN(latest) ? undefined : latest };
}

function fields(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/^(\w+):(.*?)\r?$/gm)) found.set(name, value);
  return found;
}

/** `db0:keys=12,expires=3,…`, a line for each database. */
function recordsIn(info: Map<string, string>): number {
  const counts = [...info].filter(([name]) => /^db\d+$/.test(name));
  return sum(counts.map(([, value]) => Number(/^keys=(\d+)/.exec(value)?.[1] ?? 0)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
