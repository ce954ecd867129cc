import { expect, it } from "vitest";
import type { RunningServer } from "../run/running-server.js";
import { cleanup, until } from "./cleanup.js";

/** The parts of `cacheme` that the tests use, for a storage of type `S` and nodes of type `N`. */
interface TroubledCacheme<S, N> {
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

/** A fault of a server: what is done to it, and how it is undone. */
const faults: Readonly<Record<string, (server: RunningServer) => Promise<void>>> = {
  "is killed and started again, empty": async (server) => {
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.restart();
  },
  "hangs for five seconds": async (server) => {
    await server.pause();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    await server.resume();
  },
};

/**
 * Tests a program under load while its server fails: every read is answered, no read returns a value
 * from before an invalidation that resolved, and the storage is used again by itself.
 *
 * @param server returns a server of the tests' own, which they pause and kill
 * @param make makes a client of the server
 */
export function itSurvivesTrouble<S, N>(
  server: () => RunningServer,
  { Cacheme, defineNode }: TroubledCacheme<S, N>,
  make: () => S,
): void {
  const { closing } = cleanup();

  for (const [fault, inflict] of Object.entries(faults)) {
    it(`answers every read while its server ${fault}`, { timeout: 60_000 }, async () => {
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
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      });
      const writes = (async () => {
        for (let round = 0; !isEnding; round++) {
          const id = round % keys.length;
          const version = (source[id] ?? 0) + 1;
          source[id] = version;
          try {
            await writer.invalidate(counter(id));
            acknowledged[id] = version;
          } catch (error) {
            // The other program may still read the old value.
            expect(error).toMatchObject({ code: "CACHEME_INVALIDATION_INCOMPLETE" });
          }
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();

      await until(() => answered > 100);
      await inflict(server());
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
}
