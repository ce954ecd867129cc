import { Cacheme, memory, Node, type NodeMeta } from "../../src/index.js";
import { SimulatedRemote } from "./simulated-remote.js";
import { TaggedRemote } from "./tagged-remote.js";
import { VirtualClock } from "./virtual-clock.js";

/** A `Cacheme` on a virtual clock, with a storage "local" and a simulated one "remote". */
export interface Space {
  readonly cacheme: Cacheme;
  readonly clock: VirtualClock;
  readonly remote: SimulatedRemote;
}

export async function space(): Promise<Space> {
  const clock = new VirtualClock();
  const cacheme = new Cacheme({ clock });
  const remote = new SimulatedRemote(clock);
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote);
  return { cacheme, clock, remote };
}

/** A storage "remote" with generations, and a maker of `Cacheme`s that share it. */
export async function taggedSpace(clock = new VirtualClock()): Promise<TaggedSpace> {
  const remote = new TaggedRemote(clock);
  const process = async () => {
    const cacheme = new Cacheme({ clock });
    await cacheme.registerStorage("local", memory());
    await cacheme.registerStorage("remote", remote);
    return cacheme;
  };
  return { cacheme: await process(), clock, remote, process };
}

export interface TaggedSpace {
  readonly cacheme: Cacheme;
  readonly clock: VirtualClock;
  readonly remote: TaggedRemote;
  /** Makes the `Cacheme` of another process. */
  process(): Promise<Cacheme>;
}

export const localOnly: NodeMeta["caches"] = [{ storage: "local", ttl: "1m" }];
export const remoteOnly: NodeMeta["caches"] = [{ storage: "remote", ttl: "10m" }];
export const twoTiers: NodeMeta["caches"] = [
  { storage: "local", ttl: "1m" },
  { storage: "remote", ttl: "10m" },
];

/** A node with a number as its key. */
export abstract class NumberedNode<V = unknown> extends Node<V> {
  constructor(readonly id: number) {
    super();
  }
  key() {
    return `${this.id}`;
  }
}

/** Makes a node class that counts its loads and answers with the result of `source`. */
export function countingNode<V>(meta: NodeMeta, source: (id: number, load: number) => V | Promise<V>) {
  const loads: number[] = [];
  class Counting extends NumberedNode<V> {
    static override meta: NodeMeta = { name: "counting", ...meta };
    override load() {
      loads.push(this.id);
      return source(this.id, loads.length);
    }
  }
  return { Counting, loads };
}
