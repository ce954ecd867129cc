import { setTimeout as sleep } from "node:timers/promises";
import { type Server, server } from "@cacheme/test-services";
import type { Cache, Feature, Library, SetUp } from "./library.js";

/** One behaviour, tried with each library. */
export interface Row {
  /** The title in the table. */
  readonly title: string;
  /** A library without this feature is not run; its cell says "no". */
  readonly needs?: Feature;
  /** The statement of FusionCache's documentation. */
  readonly fusionCache: { readonly outcome: string; readonly page: string };
  /** Tries the behaviour and returns the words of the cell. */
  run(library: Library): Promise<string>;
}

/** How long a row waits for an answer. */
const patience = 5000;

/** The words of a cell after {@link patience}. */
const noAnswer = "no answer in 5 s";

/** A ttl that no row outlives. */
export const longTtl = 600_000;

/** A fresh Redis, which ends with this process. */
export function startRedis(): Promise<Server> {
  return server("redis");
}

/** A load of its own for each library: counts its calls, takes a moment, and returns what it is told to. */
export function countingLoad(value: (key: string, call: number) => unknown, duration = 50) {
  const calls: string[] = [];
  const load = async (key: string): Promise<unknown> => {
    calls.push(key);
    const call = calls.length;
    await sleep(duration);
    return value(key, call);
  };
  return { calls, load };
}

/** A source whose value a row changes. A load reads the value at its beginning, and takes so long. */
export function changingSource(duration = 0) {
  const source = { value: "old value", load };
  async function load(): Promise<string> {
    const { value } = source;
    await sleep(duration);
    return value;
  }
  return source;
}

/** Opens one instance with memory and this Redis, set up as its documentation advises. */
export function openAdvised(library: Library, redisUrl: string): Promise<Cache> {
  const setUp = { tiers: "both", redisUrl, ttl: longTtl, prepared: "as documented" } as const;
  return library.open({ ...setUp, load: async (key) => key });
}

/** Opens as many instances as wanted, each as a process of its own would have it. */
export function openAll(library: Library, count: number, setUp: SetUp): Promise<Cache[]> {
  return Promise.all(Array.from({ length: count }, () => library.open(setUp)));
}

/** The outcome of a call in words, waiting {@link patience} at most. */
export async function outcomeOf<T>(
  call: Promise<T>,
  describe: (value: T) => string,
  describeError: (error: unknown) => string = messageOf,
): Promise<string> {
  const answered = call.then(describe, describeError);
  return Promise.race([answered, sleep(patience, noAnswer)]);
}

/** Waits until a call settles, {@link patience} at most, and returns whether it did. */
export async function settles(call: Promise<unknown>): Promise<boolean> {
  const settled = call.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, sleep(patience, false)]);
}

/** An error's message on one line, short enough for a cell. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `error: ${message.split("\n", 1)[0]?.slice(0, 60)}`;
}
