import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cacheme, memory, Node, type NodeMeta } from "../../src/index.js";
import { settled } from "../support/deferred.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { VirtualClock } from "../support/virtual-clock.js";

/**
 * Promise 2 within one process, by schedules: reads, refreshes, writes of the source, invalidations and sets of a few keys
 * run at once, and every request, answer and load ends, or fails, when the schedule says so, in any order.
 *
 * What is checked: a read that begins after `await invalidate(x)` has resolved is not answered with a value whose load began
 * before that invalidation was called; nor is a read that begins after `await set(x, v)`, unless something newer came.
 */

type Step =
  | { readonly do: "get" | "invalidate" | "refresh" | "set"; readonly key: number }
  | { readonly do: "getAll" | "failNextLoad" }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "release"; readonly which: number };

const keys = [0, 1];

const sourceDown = new Error("the source is down");

const key = fc.constantFrom(...keys);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("get" as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("invalidate" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("refresh" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("set" as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("getAll" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 80 }) }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("release" as const), which: fc.nat(20) }) },
);

const setups: Record<string, NodeMeta["caches"]> = {
  "local only": [{ storage: "local", ttl: 100 }],
  "remote only": [{ storage: "remote", ttl: 200 }],
  "two tiers": [
    { storage: "local", ttl: 50 },
    { storage: "remote", ttl: 200 },
  ],
  "two remote tiers": [
    { storage: "local", ttl: 30 },
    { storage: "remote", ttl: 100 },
    { storage: "far", ttl: 200 },
  ],
};

/** One run of a schedule against a Cacheme of its own. */
class Simulation {
  readonly #clock = new VirtualClock();
  readonly #waiting: (() => void)[] = [];
  /** What the source holds: each change is a new number. */
  readonly #source = keys.map(() => 0);
  /** The oldest number that a read which begins now may be answered with. */
  readonly #floor = keys.map(() => 0);
  readonly #running: Promise<unknown>[] = [];
  readonly #cacheme = new Cacheme({ clock: this.#clock });
  readonly #read: (key: number) => Node<number>;
  #nextLoadFails = false;
  reads = 0;

  constructor(caches: NodeMeta["caches"]) {
    const load = async (key: number) => {
      const [value, fails] = [this.#source[key]!, this.#nextLoadFails];
      this.#nextLoadFails = false;
      await this.#turn();
      if (fails) throw sourceDown;
      return value;
    };
    class Versioned extends Node<number> {
      static override meta: NodeMeta = { name: "versioned", caches };
      constructor(readonly id: number) {
        super();
      }
      key() {
        return `${this.id}`;
      }
      override load() {
        return load(this.id);
      }
    }
    this.#read = (id) => new Versioned(id);
  }

  async start(): Promise<void> {
    await this.#cacheme.registerStorage("local", memory());
    for (const name of ["remote", "far"]) {
      const remote = new SimulatedRemote(this.#clock);
      remote.gate = () => this.#turn();
      await this.#cacheme.registerStorage(name, remote);
    }
  }

  take(step: Step): void {
    switch (step.do) {
      case "get":
        this.#expectNew(step.key, this.#cacheme.get(this.#read(step.key)));
        break;
      case "getAll": {
        const answers = this.#cacheme.getAll(keys.map(this.#read));
        for (const key of keys)
          this.#expectNew(
            key,
            answers.then((values) => values[key]!),
          );
        break;
      }
      case "refresh":
        this.#expectNew(step.key, this.#cacheme.refresh(this.#read(step.key)), this.#source[step.key]!);
        break;
      case "invalidate": {
        this.#source[step.key]! += 1;
        const called = this.#source[step.key]!;
        this.#run(this.#cacheme.invalidate(this.#read(step.key)).then(() => this.#raise(step.key, called)));
        break;
      }
      case "set": {
        this.#source[step.key]! += 1;
        const value = this.#source[step.key]!;
        this.#run(this.#cacheme.set(this.#read(step.key), value).then(() => this.#raise(step.key, value)));
        break;
      }
      case "failNextLoad":
        this.#nextLoadFails = true;
        break;
      case "advance":
        this.#clock.advance(step.ms);
        break;
      case "release":
        this.#waiting.splice(step.which % Math.max(1, this.#waiting.length), 1)[0]?.();
        break;
    }
  }

  /** Lets everything end, and then reads once more. */
  async finish(): Promise<void> {
    const drain = async () => {
      await settled();
      while (this.#waiting.length > 0) {
        for (const go of this.#waiting.splice(0)) go();
        await settled();
      }
    };
    await drain();
    for (const key of keys) this.#expectNew(key, this.#cacheme.get(this.#read(key)));
    await drain();
    await Promise.all(this.#running);
    const closing = this.#cacheme.close();
    await drain();
    await closing;
  }

  #expectNew(key: number, answer: Promise<number>, atLeast = this.#floor[key]!): void {
    this.reads += 1;
    this.#run(
      answer.then(
        (value) => expect(value).toBeGreaterThanOrEqual(atLeast),
        (error) => expect(error).toBe(sourceDown),
      ),
    );
  }

  #raise(key: number, to: number): void {
    this.#floor[key] = Math.max(this.#floor[key]!, to);
  }

  #run(operation: Promise<unknown>): void {
    operation.catch(() => {}); // Awaited at the end; a failure in between must not count as unhandled.
    this.#running.push(operation);
  }

  #turn(): Promise<void> {
    return new Promise((go) => this.#waiting.push(go));
  }
}

describe("promise 2: no lost invalidation, by randomised schedules", () => {
  for (const [name, caches] of Object.entries(setups)) {
    it(`answers no read with a value older than a finished invalidation or set: ${name}`, async () => {
      let reads = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
          const simulation = new Simulation(caches);
          await simulation.start();
          for (const taken of steps) {
            simulation.take(taken);
            // Whether a step's jobs run before the next one is part of the schedule too.
            if (taken.do === "release") await new Promise((resolve) => setImmediate(resolve));
          }
          await simulation.finish();
          reads += simulation.reads;
        }),
        { numRuns: 200 },
      );
      expect(reads).toBeGreaterThan(200);
    });
  }
});
