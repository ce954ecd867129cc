import { join, resolve } from "node:path";
import type { redis } from "@cacheme/redis";
import type { Cacheme, memory, Node } from "cacheme";
import { patient, patientClient } from "../patient.js";
import { type PayloadNodeClass, type PayloadSources, payloadClass } from "../payload.js";

/** The packages of one checkout. */
export interface Build {
  readonly name: string;
  readonly core: {
    readonly Cacheme: typeof Cacheme;
    readonly Node: typeof Node;
    readonly memory: typeof memory;
  };
  readonly redis: typeof redis;
}

const here = resolve(import.meta.dirname, "../../..");

/** This checkout, then the checkouts in the folders. All must be built. */
export function builds(folders: readonly string[]): Promise<Build[]> {
  return Promise.all([here, ...folders.map((folder) => resolve(folder))].map(buildIn));
}

async function buildIn(folder: string): Promise<Build> {
  const packages = join(folder, "packages");
  const core = await import(join(packages, "core/dist/index.js"));
  const { redis } = await import(join(packages, "redis/dist/index.js"));
  return { name: folder === here ? "this checkout" : folder, core, redis };
}

/** Makes a node class of a build, with a tier in each of the storages. */
export function payloadNode(
  { core }: Build,
  storages: readonly string[],
  load?: PayloadSources["load"],
  options: { readonly lease?: false } = {},
): Promise<PayloadNodeClass> {
  const caches = storages.map((storage) => ({ storage, ttl: "1h" as const }));
  return payloadClass(core.Node, { caches, ...options }, load && { load });
}

/** Returns whether the build has leases. One that has none refuses the option. */
export async function hasLeases(build: Build): Promise<boolean> {
  const cacheme = new build.core.Cacheme();
  await cacheme.registerStorage("local", build.core.memory());
  const PayloadNode = await payloadNode(build, ["local"], undefined, { lease: false });
  try {
    await cacheme.get(new PayloadNode(0));
    return true;
  } catch {
    return false;
  } finally {
    await cacheme.close();
  }
}

/** Opens a space over memory and the Redis, with keys of its own. */
export async function open(
  { core, redis }: Build,
  url: string,
  prefix: string,
): Promise<InstanceType<Build["core"]["Cacheme"]>> {
  const cacheme = new core.Cacheme({ prefix });
  await cacheme.registerStorage("local", core.memory({ maxSize: 200_000 }));
  const storage = redis(url, patientClient);
  // A build from before the deadline of each storage refuses the option.
  await cacheme
    .registerStorage("redis", storage, patient)
    .catch(() => cacheme.registerStorage("redis", storage));
  return cacheme;
}
