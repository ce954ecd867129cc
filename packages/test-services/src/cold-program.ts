import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { say } from "./disk/program.js";

/** The parts of `cacheme` that the program uses, for a storage of type `S` and nodes of type `N`. */
export interface ColdCacheme<S, N> {
  registerStorage(name: string, storage: S, options: { readonly deadline: "20s" }): Promise<void>;
  defineNode(definition: ColdDefinition): (id: number) => N;
  get(node: N): Promise<unknown>;
  close(): Promise<void>;
}

interface ColdDefinition {
  readonly name: string;
  readonly caches: readonly { readonly storage: string; readonly ttl: "10m" }[];
  readonly key: (id: number) => string;
  readonly load: (id: number) => Promise<string>;
}

/** The result of a program: the number of its loads, and the values that its readers got. */
export interface ColdOutcome {
  readonly loads: number;
  readonly values: readonly unknown[];
}

/** The number of readers in each process. */
const readers = 100;

/** Milliseconds that the source takes. */
const loadTime = 50;

/** Times that are enough for a call on a busy machine. */
const patient = { commandTimeout: "20s", connectTimeout: "20s" } as const;

/** Whether the program is to read a cold key. */
export const readsColdKey: boolean = process.argv[2] === "readsColdKey";

/**
 * Runs a whole program whose readers read one cold key when it gets a line of input. For
 * `describeColdReaders`. Its second argument is the storage's address or path.
 */
export async function runColdReaders<S, N>(
  { registerStorage, defineNode, get, close }: ColdCacheme<S, N>,
  make: (place: string, options: typeof patient) => S,
): Promise<void> {
  const [, , , place = ""] = process.argv;
  let loads = 0;
  const cold = defineNode({
    name: "cold",
    caches: [{ storage: "shared", ttl: "10m" }],
    key: (id) => `${id}`,
    load: async () => {
      loads += 1;
      await setTimeout(loadTime);
      return `loaded by ${process.pid}`;
    },
  });
  await registerStorage("shared", make(place, patient), { deadline: "20s" });
  say("ready");
  await once(process.stdin, "data");
  process.stdin.pause();
  const values = await Promise.all(Array.from({ length: readers }, () => get(cold(1))));
  say({ loads, values: [...new Set(values)] } satisfies ColdOutcome);
  await close();
}
