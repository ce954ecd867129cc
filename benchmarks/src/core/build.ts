import { join, resolve } from "node:path";
import type { redis } from "@cacheme/redis";
import type { Cacheme, memory, Node, NodeMeta } from "cacheme";

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

/** Makes a node class of a build. */
export function payloadNode(
  { core }: Build,
  storages: readonly string[],
  load: () => Promise<Payload> = async () => payload,
): new (
  id: number,
) => Node<Payload> {
  const caches = storages.map((storage) => ({ storage, ttl: "1h" as const }));
  return class PayloadNode extends core.Node<Payload> {
    static override meta: NodeMeta = { name: "payload", caches };
    readonly id: number;
    constructor(id: number) {
      super();
      this.id = id;
    }
    key() {
      return `${this.id}`;
    }
    override load(): Promise<Payload> {
      return load();
    }
  };
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
