import { createHook } from "node:async_hooks";
import {
  Cacheme,
  type LoadAll,
  memory,
  type Node,
  type NodeMeta,
  type RemoteStorage,
} from "../../src/index.js";
import type { StoredRecord } from "../../src/storage/remote-storage.js";
import { NumberedNode } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** The cost of a call, from its start until nothing is under way any more. */
export interface Cost {
  /**
   * Requests to each remote storage, by kind: `near reads`, `far writes`, … Kinds without requests
   * are missing.
   */
  readonly requests: Readonly<Record<string, number>>;
  /** The number of calls of a node's `load`. */
  readonly loads: number;
  /** The number of calls of a class's `loadAll`. */
  readonly bulkLoads: number;
  /** The number of promises that the package allocated, without those of storages and loads. */
  readonly promises: number;
}

/** Counts what happens between {@link start} and {@link stop}. */
class Meter {
  #requests: Record<string, number> = {};
  #loads = 0;
  #bulkLoads = 0;
  #promises = 0;
  #strangers = 0;
  readonly #hook = createHook({
    init: (_, type) => {
      if (type === "PROMISE" && this.#strangers === 0) this.#promises += 1;
    },
  });

  start(): void {
    this.#requests = {};
    this.#loads = 0;
    this.#bulkLoads = 0;
    this.#promises = 0;
    this.#hook.enable();
  }

  stop(): Cost {
    this.#hook.disable();
    return {
      requests: this.#requests,
      loads: this.#loads,
      bulkLoads: this.#bulkLoads,
      promises: this.#promises,
    };
  }

  request<T>(what: string, answer: () => T): Promise<T> {
    this.#requests[what] = (this.#requests[what] ?? 0) + 1;
    return this.#answer(answer);
  }

  load<T>(answer: () => T): Promise<T> {
    this.begins();
    return this.#answer(answer);
  }

  /** Records that a load begins whose promise is the package's. */
  begins(): void {
    this.#loads += 1;
  }

  loadAll<T>(answer: () => T): Promise<T> {
    this.#bulkLoads += 1;
    return this.#answer(answer);
  }

  /** Answers with a promise that is not the package's. */
  #answer<T>(answer: () => T): Promise<T> {
    this.#strangers += 1;
    try {
      return Promise.resolve(answer());
    } finally {
      this.#strangers -= 1;
    }
  }
}

/** A remote storage that answers at once, with a single promise. */
class MeteredRemote implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly #records = new Map<string, Uint8Array>();
  readonly #meter: Meter;

  constructor(name: string, meter: Meter) {
    this.label = name;
    this.#meter = meter;
  }

  async connect(): Promise<void> {}
  async close(): Promise<void> {}
  async ping(): Promise<void> {}

  time(): Promise<number> {
    return this.#meter.request(`${this.label} times`, () => 0);
  }

  readMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#meter.request(`${this.label} reads`, () => keys.map((key) => this.#records.get(key)));
  }

  writeMany(records: readonly StoredRecord[]): Promise<void> {
    return this.#meter.request(`${this.label} writes`, () => {
      for (const { key, bytes } of records) this.#records.set(key, bytes);
    });
  }

  removeMany(keys: readonly string[]): Promise<number> {
    return this.#meter.request(
      `${this.label} removals`,
      () => keys.filter((key) => this.#records.delete(key)).length,
    );
  }
}

/** The set-ups: the names of the tiers' storages. */
export const setups = {
  local: ["local"],
  remote: ["far"],
  "local and remote": ["local", "far"],
  "two remotes": ["near", "far"],
} as const;

export type Setup = keyof typeof setups;

/** A space whose costs are measured, and the nodes of one class in it. */
export class Measured {
  readonly cacheme: Cacheme;
  readonly #meter: Meter;
  readonly #one: (id: number) => Node<string>;
  readonly #bulk: (id: number) => Node<string>;
  readonly #outer: (id: number) => Node<string>;

  private constructor(cacheme: Cacheme, meter: Meter, setup: Setup) {
    this.cacheme = cacheme;
    this.#meter = meter;
    const meta = { caches: setups[setup].map((storage) => ({ storage, ttl: "1h" as const })) };
    this.#one = nodes(meta, meter);
    this.#bulk = bulkNodes(meta, meter);
    this.#outer = outerNodes(meta, meter, this.#one);
  }

  static async of(setup: Setup): Promise<Measured> {
    const cacheme = new Cacheme({ clock: new VirtualClock() });
    const meter = new Meter();
    for (const name of setups[setup]) {
      await cacheme.registerStorage(name, name === "local" ? memory() : new MeteredRemote(name, meter));
    }
    const measured = new Measured(cacheme, meter, setup);
    // Gives the classes their runtimes, and reads the storages' time.
    for (const node of [measured.#one, measured.#bulk, measured.#outer]) {
      await cacheme.get(node(-1));
      await cacheme.invalidate(node(-1));
    }
    return measured;
  }

  /** Makes a node with a `load`. */
  node = (id = 0): Node<string> => this.#one(id);

  /** Makes a node whose class has a `loadAll`. */
  bulkNode = (id = 0): Node<string> => this.#bulk(id);

  /** Makes a node whose load reads {@link node} of the same number. */
  outerNode = (id = 0): Node<string> => this.#outer(id);

  /**
   * Measures the cost of the calls. The caller awaits the answer before they begin, and allocates
   * nothing meanwhile.
   */
  cost(calls: () => unknown): Promise<Cost> {
    return new Promise((resolve) => {
      whenIdle(() => {
        this.#meter.start();
        calls();
        whenIdle(() => resolve(this.#meter.stop()));
      });
    });
  }
}

/** Calls back when only timers wait. Allocates no promise. */
function whenIdle(done: () => void, rounds = 5): void {
  if (rounds === 0) done();
  else setImmediate(() => whenIdle(done, rounds - 1));
}

function nodes(meta: NodeMeta, meter: Meter) {
  class One extends NumberedNode<string> {
    static override meta: NodeMeta = { name: "one", ...meta };
    override load() {
      return meter.load(() => `value ${this.id}`);
    }
  }
  return (id: number) => new One(id);
}

function bulkNodes(meta: NodeMeta, meter: Meter) {
  class Bulk extends NumberedNode<string> {
    static override meta: NodeMeta = { name: "bulk", ...meta };
    static override loadAll: LoadAll<Bulk> = (given) =>
      meter.loadAll(() => given.map(({ id }) => `value ${id}`));
  }
  return (id: number) => new Bulk(id);
}

function outerNodes(meta: NodeMeta, meter: Meter, inner: (id: number) => Node<string>) {
  class Outer extends NumberedNode<string> {
    static override meta: NodeMeta = { name: "outer", ...meta };
    override load({ get }: { get: Cacheme["get"] }) {
      meter.begins();
      return get(inner(this.id));
    }
  }
  return (id: number) => new Outer(id);
}
