import { join, resolve } from "node:path";
import type { redis } from "@cacheme/redis";
import type { Cacheme, memory, Node } from "cacheme";

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

export interface Payload {
  readonly text: string;
}

let copies = 0;

/**
 * Makes a node class of a build, from a copy of its module. Classes that one place of the source makes share what V8 has learnt
 * of them: a node of the second one then takes ten times as long to make, which no program's own class does.
 */
export async function payloadNode(
  build: Build,
  storages: readonly string[],
  load: () => Promise<Payload> = async () => payload,
): Promise<new (id: number) => Node<Payload>> {
  copies += 1;
  const copy: typeof import("./payload-node.js") = await import(`./payload-node.js?copy=${copies}`);
  return copy.payloadNode(build, storages, load);
}

export const payload: Payload = { text: "0123456789abcdef".repeat(13).slice(0, 200) };

/** Opens a space over memory and the Redis, with keys of its own. */
export async function open(
  { core, redis }: Build,
  url: string,
  prefix: string,
): Promise<InstanceType<Build["core"]["Cacheme"]>> {
  const cacheme = new core.Cacheme({ prefix });
  await cacheme.registerStorage("local", core.memory({ maxSize: 200_000 }));
  await cacheme.registerStorage("redis", redis(url));
  return cacheme;
}
