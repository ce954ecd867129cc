import { readFileSync } from "node:fs";
import { cpuUsage, memoryUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The part of a `Cacheme` that a process of the bus tests uses. */
interface UserSpace<N> {
  get(node: N): Promise<unknown>;
  peekLocal(node: N): { readonly value: unknown } | undefined;
  invalidate(nodes: readonly N[]): Promise<void>;
  busStatus(): { readonly state: string; readonly received: number } | undefined;
  close(): Promise<void>;
}

/** A process on a bus: its space and its nodes. */
export interface BusUser<N> {
  readonly cacheme: UserSpace<N>;
  /** Makes a node with a local and a remote tier, whose load reads the source. */
  readonly user: (id: string) => N;
  /** Makes a node with a local tier only. */
  readonly many: (id: string) => N;
}

/** The set-up of such a process. */
export interface BusPlaces {
  /** The address of the server for the bus. */
  readonly bus: string;
  /** The address of the server for the entries. */
  readonly storage: string;
  /** The file that loads read. */
  readonly source: string;
}

/** The calls that a test makes in such a process. */
export interface BusCalls {
  get(id: string): Promise<unknown>;
  /** Returns the state of the bus and the local value, both of the same moment. */
  look(id: string): { readonly state: string | undefined; readonly value: unknown };
  invalidate(id: string): Promise<unknown>;
  /** Invalidates without waiting, and closes nothing. The process ends by itself. */
  invalidateLast(id: string): void;
  /** Fills the local tier with so many entries. */
  fill(count: number): Promise<void>;
  /** Invalidates those entries, a thousand at a time. */
  storm(count: number): Promise<void>;
  /** Returns whether one of those entries is there. */
  has(index: number): boolean;
  /** Returns how many of those entries are there. */
  left(count: number): number;
  /** Begins to measure. */
  watch(): Promise<void>;
  watched(): Watched;
}

/** The measurements of a process. */
export interface Watched {
  /** The longest time in milliseconds of the processor between two turns of the event loop. */
  readonly longestTurn: number;
  /** The growth of the heap in bytes. */
  readonly growth: number;
}

/** A call, and the answer to a call, as they travel between the processes. */
export interface BusCall {
  readonly number: number;
  readonly name: keyof BusCalls;
  readonly argument: unknown;
}

export interface BusAnswer {
  readonly number: number;
  readonly answer?: unknown;
  readonly error?: string;
}

const invalidatedAtOnce = 1_000;

/** The parts of `cacheme` that make a user, for storages and buses of a driver. */
export interface BusCacheme<S, B, N> {
  readonly Cacheme: new () => UserSpace<N> & {
    registerStorage(name: string, storage: S): Promise<void>;
    registerBus(bus: B): Promise<void>;
  };
  memory(options: { readonly maxSize: number }): S;
  defineNode(definition: {
    readonly name: string;
    readonly caches: readonly { readonly storage: string; readonly ttl?: "10m" }[];
    readonly key: (id: string) => string;
    readonly load: (id: string) => unknown;
  }): (id: string) => N;
}

/** Serves a user whose entries and bus are those of one driver. */
export function serveDriverUser<S, B, N>(
  { Cacheme, memory, defineNode }: BusCacheme<S, B, N>,
  make: { storage(url: string): S; bus(url: string): B },
): Promise<void> {
  return serveBusUser(async ({ bus, storage, source }) => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage("local", memory({ maxSize: 200_000 }));
    await cacheme.registerStorage("remote", make.storage(storage));
    await cacheme.registerBus(make.bus(bus));
    const key = (id: string) => id;
    const local = { storage: "local" };
    const caches = [local, { storage: "remote", ttl: "10m" }] as const;
    const user = defineNode({ name: "user", caches, key, load: () => readFileSync(source, "utf8") });
    const many = defineNode({ name: "many", caches: [local], key, load: key });
    return { cacheme, user, many };
  });
}

/** Answers the calls of the process that has forked this one. */
async function serveBusUser<N>(make: (places: BusPlaces) => Promise<BusUser<N>>): Promise<void> {
  const [, , bus = "", storage = "", source = ""] = process.argv;
  const calls = callsOf(await make({ bus, storage, source }));
  process.on("message", ({ number, name, argument }: BusCall) => {
    const call = calls[name] as (argument: unknown) => unknown;
    const say = (answer: Omit<BusAnswer, "number">) => process.send?.({ number, ...answer });
    Promise.resolve()
      .then(() => call(argument))
      .then((answer) => say({ answer }))
      .catch((error: unknown) => say({ error: String(error) }));
  });
  process.on("disconnect", ends);
  process.send?.({ number: 0 });
}

function callsOf<N>({ cacheme, user, many }: BusUser<N>): BusCalls {
  const nameOf = (index: number) => `entry ${index}`;
  const has = (index: number) => cacheme.peekLocal(many(nameOf(index))) !== undefined;
  let longestTurn = 0;
  let before = 0;
  return {
    get: (id) => cacheme.get(user(id)),
    look: (id) => ({ state: cacheme.busStatus()?.state, value: cacheme.peekLocal(user(id))?.value }),
    invalidate: (id) => cacheme.invalidate([user(id)]).catch((error: unknown) => String(error)),
    invalidateLast(id) {
      process.off("disconnect", ends);
      setImmediate(() => process.disconnect());
      setImmediate(() => void cacheme.invalidate([user(id)]));
    },
    async fill(count) {
      for (let index = 0; index < count; index++) await cacheme.get(many(nameOf(index)));
    },
    async storm(count) {
      for (let start = 0; start < count; start += invalidatedAtOnce) {
        const nodes = Array.from({ length: invalidatedAtOnce }, (_, index) => many(nameOf(start + index)));
        await cacheme.invalidate(nodes);
      }
    },
    has,
    left(count) {
      let found = 0;
      for (let index = 0; index < count; index++) found += has(index) ? 1 : 0;
      return found;
    },
    async watch() {
      await collectGarbage();
      before = memoryUsage().heapUsed;
      longestTurn = 0;
      let last = cpuUsage();
      const turn = () => {
        const { user: own, system } = cpuUsage(last);
        longestTurn = Math.max(longestTurn, (own + system) / 1_000);
        last = cpuUsage();
        setImmediate(turn);
      };
      setImmediate(turn);
    },
    watched() {
      const longest = longestTurn;
      gc();
      return { longestTurn: longest, growth: memoryUsage().heapUsed - before };
    },
  };
}

/** Ends the process together with the one that has forked it. */
function ends(): void {
  process.exit();
}

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Collects several times, because finalizers free more. */
async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
