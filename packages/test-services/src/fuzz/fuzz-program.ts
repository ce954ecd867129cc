import { setTimeout as pause } from "node:timers/promises";
import { Actor } from "./actor.js";
import { Board, mostProcesses, sharedTime } from "./board.js";
import { type Definer, defineKinds, kindOf, recordsAt, type Seen } from "./kinds.js";
import { type Happening, Ledger, type Violation } from "./ledger.js";
import { Random } from "./random.js";
import { type FuzzSpace, type Operation, planned, type Stage } from "./stage.js";
import { type WatchableStorage, watched } from "./watched-storage.js";

/** The settings of a process of the fuzz. */
export interface ProcessSettings {
  readonly board: string;
  /** The addresses of the storage and of the bus. */
  readonly storage: string;
  readonly bus: string | undefined;
  readonly seed: number;
  readonly slot: number;
  readonly processes: number;
  /** The number of processes that were killed in this slot. */
  readonly incarnation: number;
}

/** The messages of the process that forks this one. */
export type Order = { readonly happenings: readonly number[]; readonly number: number } | "end";

/** The messages of this process. */
export type Told =
  | { readonly violation: Violation }
  | { readonly happenings: readonly Happening[]; readonly number: number }
  | { readonly ready: true }
  | { readonly done: Done };

/** The work of a process. */
export interface Done {
  readonly counts: Readonly<Partial<Record<Operation, number>>>;
  /** Milliseconds of the longest call. */
  readonly longest: number;
}

/** The parts of `cacheme` that the program uses, for a storage of type `S` and nodes of type `N`. */
export interface FuzzCacheme<S, L, B, N> extends Definer<N> {
  Cacheme: new () => RegisteringSpace<S, L, B, N>;
  memory(): L;
}

interface RegisteringSpace<S, L, B, N> extends FuzzSpace<N> {
  registerStorage(
    name: string,
    storage: S | L,
    options?: {
      readonly deadline?: "500ms";
      readonly breaker?: { readonly longestPause: "1s" };
      readonly replace?: boolean;
    },
  ): Promise<void>;
  registerBus(bus: B, options: { readonly heartbeat: "1s"; readonly ttlWhenDown: "1s" }): Promise<void>;
  on(event: "storageError" | "busError" | "busState" | "invalidateError", listener: () => void): unknown;
  defineScopes(...levels: string[]): void;
  close(): Promise<void>;
}

/** How to reach the servers. */
export interface FuzzDrivers<S, B> {
  storage(address: string): S;
  bus?(address: string): B;
}

/** The actors of a process. */
const actors = 3;

const guard = { deadline: "500ms", breaker: { longestPause: "1s" } } as const;

/** Milliseconds between two looks at whether this process was stopped. */
const lookAgain = 100;

/** Runs a process of the fuzz, whose settings are the first argument. */
export async function runFuzzProcess<S extends WatchableStorage, L, B, N>(
  cacheme: FuzzCacheme<S, L, B, N>,
  drivers: FuzzDrivers<S, B>,
): Promise<void> {
  const settings: ProcessSettings = JSON.parse(process.argv[2] ?? "{}");
  const { slot, processes, incarnation, seed } = settings;
  const tell = (told: Told): void => void process.send?.(told);
  const random = new Random(seed * 1_009 + slot * 101 + incarnation);
  const board = new Board(settings.board);
  const by = `${slot}.${incarnation}`;
  const ledger = new Ledger(board, slot, settings.bus !== undefined, (violation) => tell({ violation }));
  process.on("unhandledRejection", (error) => ledger.violate(`unhandled rejection: ${stackOf(error)}`));
  process.on("uncaughtException", (error) => ledger.violate(`uncaught exception: ${stackOf(error)}`));
  process.on("warning", (warning) => ledger.violate(`warning: ${warning.message}`));

  const space = new cacheme.Cacheme();
  space.defineScopes("org", "user");
  const makeStorage = () =>
    watched(drivers.storage(settings.storage), (keys) => ledger.sent(recordsAt(keys)));
  for (const event of ["storageError", "busError", "busState"] as const)
    space.on(event, () => ledger.trouble());
  space.on("invalidateError", () => {});
  const retry = async (registers: () => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        return await registers();
      } catch {
        ledger.trouble();
        await pause(50);
      }
    }
  };
  await space.registerStorage("local", cacheme.memory());
  await retry(() => space.registerStorage("shared", makeStorage(), guard));
  const { bus } = settings;
  if (bus !== undefined && drivers.bus !== undefined) {
    const make = drivers.bus;
    await retry(() => space.registerBus(make(bus), { heartbeat: "1s", ttlWhenDown: "1s" }));
  }

  const awake = watchSleep();
  const loads = new Loads(board, ledger, slot, random);
  const node = defineKinds(cacheme, (one) => space.get(one), {
    board,
    by,
    load: (record, read) => loads.load(record, read),
  });
  const stage: Stage<N> = {
    space,
    node,
    board,
    ledger,
    slot,
    processes,
    by,
    async replaceStorage() {
      try {
        await space.registerStorage("shared", makeStorage(), { ...guard, replace: true });
        ledger.note(-1, `${by} replaced its storage`);
      } catch (error) {
        if (!String((error as { code?: unknown }).code).startsWith("CACHEME_CONNECT")) throw error;
        ledger.trouble();
      }
    },
    awakeSince: awake,
    counts: new Map(),
    changing: new Set(),
    longest: 0,
  };
  let isEnding = false;
  process.on("message", (order: Order) => {
    if (order === "end") isEnding = true;
    else tell({ happenings: ledger.happenings(order.happenings), number: order.number });
  });
  process.on("disconnect", () => process.exit());
  tell({ ready: true });
  await Promise.all(
    Array.from({ length: actors }, () =>
      new Actor(stage, new Random(random.below(2 ** 32))).act(() => isEnding),
    ),
  );
  await space.close();
  tell({ done: { counts: Object.fromEntries(stage.counts), longest: stage.longest } });
  process.disconnect();
}

/** The loads of a process: they take random times, and some fail. */
class Loads {
  readonly #board: Board;
  readonly #ledger: Ledger;
  readonly #slot: number;
  readonly #random: Random;
  readonly #running = new Map<number, number>();

  constructor(board: Board, ledger: Ledger, slot: number, random: Random) {
    this.#board = board;
    this.#ledger = ledger;
    this.#slot = slot;
    this.#random = random;
  }

  async load(record: number, read: () => Promise<Seen>): Promise<Seen> {
    const running = (this.#running.get(record) ?? 0) + 1;
    this.#running.set(record, running);
    this.#ledger.note(record, "load begins");
    if (running > 2) this.#ledger.violate(`${running} loads of a key run in one process`, record);
    if (kindOf(record) === "quiet") this.#watchLease(record);
    try {
      if (this.#random.chance(0.7)) await pause(this.#random.below(30));
      if (this.#random.chance(0.01)) throw new Error(planned);
      const seen = await read();
      if (this.#random.chance(0.5)) await pause(this.#random.below(30));
      return seen;
    } finally {
      this.#ledger.note(record, "load ends");
      this.#running.set(record, (this.#running.get(record) ?? 1) - 1);
      this.#board.put(record, "loading", this.#slot, 0);
    }
  }

  /** Nothing overtakes the loads of this kind, so one process loads at a time. */
  #watchLease(record: number): void {
    const now = sharedTime();
    this.#board.put(record, "loading", this.#slot, now);
    if (this.#board.calmSince > now - 3_000) return;
    for (let slot = 0; slot < mostProcesses; slot++) {
      const isTroubled = (one: number): boolean => this.#board.troubleOf(one) > now - 5_000;
      if (slot === this.#slot || isTroubled(slot) || isTroubled(this.#slot)) continue;
      const began = this.#board.of(record, "loading", slot);
      if (began === 0) continue;
      this.#ledger.violate(
        `two processes load a key, the other since ${(now - began).toFixed(1)} ms`,
        record,
      );
    }
  }
}

/** Returns a function that tells for how long this process was awake since a time. */
function watchSleep(): (time: number) => number {
  let last = sharedTime();
  const pauses: { readonly at: number; readonly length: number }[] = [];
  setInterval(() => {
    const now = sharedTime();
    const length = now - last - lookAgain;
    if (length > lookAgain) pauses.push({ at: now, length });
    last = now;
  }, lookAgain).unref();
  return (time) => {
    const now = sharedTime();
    const current = Math.max(0, now - last - lookAgain);
    const asleep = pauses.reduce((sum, { at, length }) => sum + (at > time ? length : 0), 0);
    return Math.max(0, now - time - asleep - current);
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? `${error.stack}` : String(error);
}
