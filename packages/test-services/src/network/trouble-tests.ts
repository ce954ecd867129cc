import { expect, it } from "vitest";
import type { RunningServer } from "../run/running-server.js";
import { cleanup, until } from "./cleanup.js";

/** The parts of `cacheme` that the tests use, for a storage of type `S` and nodes of type `N`. */
export interface TroubledCacheme<S, N> {
  Cacheme: new () => TroubledSpace<S, N>;
  defineNode(definition: TroubledDefinition): (id: number) => N;
}

interface TroubledSpace<S, N> {
  registerStorage(name: string, storage: S): Promise<void>;
  get(node: N): Promise<unknown>;
  invalidate(node: N): Promise<void>;
  peek(node: N): Promise<unknown>;
  on(event: "storageError", listener: () => void): unknown;
  close(): Promise<void>;
}

interface TroubledDefinition {
  readonly name: string;
  readonly caches: readonly { readonly storage: string; readonly ttl: "10m" }[];
  readonly lease: "2s";
  readonly key: (id: number) => string;
  readonly load: (id: number) => number;
}

const keys = [0, 1, 2, 3, 4, 5, 6, 7];

/** A fault that is inflicted on servers while programs use them. Settles when it is over. */
export interface Fault {
  readonly name: string;
  inflict(): Promise<void>;
  /**
   * Whether the servers keep every removal that they have answered. A replica that takes over may
   * have missed the last ones.
   */
  readonly keepsRemovals: boolean;
}

/**
 * Tests programs under load while their server fails: every read is answered, no read returns a
 * value from before an invalidation that resolved, and the storage is used again by itself.
 *
 * @param make makes a client
 */
export function itSurvives<S, N>(fault: Fault, cacheme: TroubledCacheme<S, N>, make: () => S): void {
  const { closing } = cleanup();

  it(`answers every read while ${fault.name}`, { timeout: 60_000 }, async () => {
    const { Cacheme, defineNode } = cacheme;
    const source = keys.map(() => 0);
    const counter = defineNode({
      name: "counter",
      caches: [{ storage: "shared", ttl: "10m" }],
      lease: "2s",
      key: (id) => `${id}`,
      load: (id) => source[id] ?? 0,
    });
    // Two programs with clients of their own.
    const spaces = [closing(new Cacheme()), closing(new Cacheme())] as const;
    for (const space of spaces) {
      space.on("storageError", () => {});
      await space.registerStorage("shared", make());
    }
    const [writer] = spaces;
    /** The versions whose invalidation has resolved. A read that begins later returns no older one. */
    const acknowledged = keys.map(() => 0);
    let isEnding = false;
    const stale: string[] = [];
    let answered = 0;

    const reads = spaces.map(async (space, place) => {
      for (let round = 0; !isEnding; round++) {
        const id = round % keys.length;
        const oldest = acknowledged[id] ?? 0;
        const value = await space.get(counter(id));
        if (Number(value) < oldest) stale.push(`space ${place}, key ${id}: ${value} after ${oldest}`);
        answered += 1;
        await pause(1);
      }
    });
    const writes = (async () => {
      for (let round = 0; !isEnding; round++) {
        const id = round % keys.length;
        const version = (source[id] ?? 0) + 1;
        source[id] = version;
        try {
          await writer.invalidate(counter(id));
          if (fault.keepsRemovals) acknowledged[id] = version;
        } catch (error) {
          // The other program may still read the old value.
          expect(error).toMatchObject({ code: "CACHEME_INVALIDATION_INCOMPLETE" });
        }
        await pause(5);
      }
    })();

    await until(() => answered > 100);
    await fault.inflict();
    const afterFault = answered;
    await until(() => answered > afterFault + 200);
    isEnding = true;
    await Promise.all([...reads, writes]);
    expect(stale).toEqual([]);
    for (const space of spaces) {
      await until(async () => {
        await space.get(counter(0));
        return (await space.peek(counter(0))) !== undefined;
      });
    }
  });
}

/**
 * Tests the faults of a single server.
 *
 * @param server returns a server of the tests' own, which they pause and kill
 */
export function itSurvivesTrouble<S, N>(
  server: () => RunningServer,
  cacheme: TroubledCacheme<S, N>,
  make: () => S,
): void {
  const outage = (name: string, begin: () => Promise<void>, ms: number, end: () => Promise<void>): Fault => ({
    name,
    keepsRemovals: true,
    async inflict() {
      await begin();
      await pause(ms);
      await end();
    },
  });
  const faults = [
    outage(
      "its server is killed and starts again",
      () => server().kill(),
      500,
      () => server().restart(),
    ),
    outage(
      "its server hangs for five seconds",
      () => server().pause(),
      5_000,
      () => server().resume(),
    ),
  ];
  for (const fault of faults) itSurvives(fault, cacheme, make);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
