import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cacheme, memory, type Node, type NodeMeta } from "../../src/index.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { SkewedClock } from "../support/skewed-clock.js";
import { NumberedNode } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

const hour = 3_600_000;

/** The schedules of each test: 600 over all set-ups and clocks. */
const runs = 40;

/**
 * The milliseconds by which the clocks of two processes and of two storages are ahead of the true
 * time.
 */
interface Skews {
  readonly processes: readonly [number, number];
  readonly storages: readonly [number, number];
}

const equal: Skews = { processes: [0, 0], storages: [0, 0] };

const apart: Record<string, Skews> = {
  "one process ahead": { processes: [hour, 0], storages: [0, 0] },
  "one process behind": { processes: [-hour, 0], storages: [0, 0] },
  "processes on both sides of the storages": { processes: [hour, -hour], storages: [0, 0] },
  "storages ahead": { processes: [0, 0], storages: [hour, hour] },
  "every clock for itself": { processes: [hour, 0], storages: [-hour, hour / 2] },
};

/** Milliseconds. A storage may only report whole ones, so its reading may be wrong by one. */
const rounding = 2;

const remoteOnly: NodeMeta["caches"] = [{ storage: "far", ttl: 10_050 }];

const setups: Record<string, NodeMeta["caches"]> = {
  "remote only": remoteOnly,
  "local and remote": [
    { storage: "local", ttl: 60_000 },
    { storage: "far", ttl: 10_050 },
  ],
  "local and two remotes": [
    { storage: "local", ttl: 2_050 },
    { storage: "near", ttl: 5_050 },
    { storage: "far", ttl: 10_050 },
  ],
};

/**
 * Two processes with a clock each, over two storages with a clock each. A value is the number of
 * its load.
 */
class Machines {
  // Not a whole second, because a clock of whole seconds is known less exactly.
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 1) + 123);
  loads = 0;
  readonly #processes: Cacheme[] = [];
  readonly #node: (key: number) => Node<number>;

  constructor(caches: NodeMeta["caches"]) {
    const load = () => {
      this.loads += 1;
      return this.loads;
    };
    class Timed extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "timed", caches };
      override load() {
        return load();
      }
    }
    this.#node = (key) => new Timed(key);
  }

  async start({ processes, storages }: Skews): Promise<this> {
    const remotes = storages.map((ahead) => {
      const clock = new SkewedClock(this.clock, ahead);
      return Object.assign(new SimulatedRemote(clock), { time: async () => clock.now() });
    });
    for (const ahead of processes) {
      const cacheme = new Cacheme({ clock: new SkewedClock(this.clock, ahead) });
      await cacheme.registerStorage("local", memory());
      await cacheme.registerStorage("near", remotes[0]!);
      await cacheme.registerStorage("far", remotes[1]!);
      this.#processes.push(cacheme);
    }
    return this;
  }

  get(process: number, key = 0, maxAge?: number): Promise<number> {
    return this.#processes[process]!.get(this.#node(key), { maxAge });
  }

  set(process: number, value: number): Promise<void> {
    return this.#processes[process]!.set(this.#node(0), value);
  }

  async ttl(process: number): Promise<number | undefined> {
    return (await this.#processes[process]!.peek(this.#node(0)))?.ttl;
  }
}

/** One read, and the length of the pause after it. */
interface Reading {
  readonly process: number;
  readonly key: number;
  readonly maxAge: number | undefined;
  readonly ms: number;
}

const reading: fc.Arbitrary<Reading> = fc.record({
  process: fc.nat(1),
  key: fc.nat(2),
  maxAge: fc.constantFrom(undefined, undefined, 550, 3_050),
  // The pauses never make an entry expire within the rounding of the time of a read.
  ms: fc.integer({ min: 0, max: 30 }).map((tenths) => tenths * 100),
});

describe("clocks apart", () => {
  for (const [name, skews] of Object.entries(apart)) {
    for (const [writer, reader] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const title = `${name}, process ${writer} writes`;

      it(`shares values: ${title}`, async () => {
        const machines = await new Machines(remoteOnly).start(skews);
        expect(await machines.get(writer)).toBe(1);
        machines.clock.advance(9_000);
        expect(await machines.get(reader)).toBe(1);
      });

      it(`keeps the ttl: ${title}`, async () => {
        const machines = await new Machines(setups["local and remote"]).start(skews);
        await machines.get(writer);
        machines.clock.advance(3_000);
        expect(Math.abs((await machines.ttl(reader))! - 7_050)).toBeLessThanOrEqual(rounding);
        expect(await machines.get(reader)).toBe(1);
        expect(Math.abs((await machines.ttl(reader))! - 7_050)).toBeLessThanOrEqual(rounding);
        machines.clock.advance(7_050 + rounding);
        expect(await machines.get(reader)).toBe(2);
      });

      it(`keeps maxAge: ${title}`, async () => {
        const machines = await new Machines(remoteOnly).start(skews);
        await machines.set(writer, 0);
        machines.clock.advance(1_000);
        expect(await machines.get(reader, 0, 1_000 + rounding)).toBe(0);
        expect(await machines.get(reader, 0, 999 - rounding)).toBe(1);
        expect(await machines.get(writer)).toBe(1);
      });
    }
  }

  for (const [setup, caches] of Object.entries(setups)) {
    const answers = async (skews: Skews, steps: readonly Reading[]) => {
      const machines = await new Machines(caches).start(skews);
      const given: number[] = [];
      for (const { process, key, maxAge, ms } of steps) {
        given.push(await machines.get(process, key, maxAge));
        machines.clock.advance(ms);
      }
      return given;
    };

    it.each(Object.entries(apart))(
      `answers as if the clocks were equal, in any order of reads: ${setup}, %s`,
      async (_, skews) => {
        await fc.assert(
          fc.asyncProperty(fc.array(reading, { minLength: 2, maxLength: 30 }), async (steps) => {
            expect(await answers(skews, steps)).toEqual(await answers(equal, steps));
          }),
          { numRuns: runs },
        );
      },
    );
  }
});
