// Measures stale hits, and hits of a class that refreshes ahead, beside plain ones.
import { Cacheme, type Clock, memory, Node, type NodeMeta, systemClock } from "cacheme";
import { interleaved, processorTime } from "../interleaved.js";

const keys = 1_000;
const readsPerRound = 50_000;
const day = 86_400_000;

/** A clock that the benchmark moves on, so that entries expire. */
class MovedClock implements Clock {
  ahead = 0;
  readonly elapsed: Clock["elapsed"] = systemClock.elapsed;
  readonly schedule: Clock["schedule"] = systemClock.schedule;

  now(): number {
    return Date.now() + this.ahead;
  }
}

/** Returns a round of hits of a class with these options, its entries of this age in milliseconds. */
async function hits(options: NodeMeta, age: number): Promise<() => Promise<void>> {
  const clock = new MovedClock();
  const cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory());
  let isLoaded = false;
  class Payload extends Node<number> {
    static override meta: NodeMeta = { caches: [{ storage: "local", ttl: "1d" }], ...options };
    constructor(readonly id: number) {
      super();
    }
    key() {
      return `${this.id}`;
    }
    override load() {
      return isLoaded ? new Promise<number>(() => {}) : this.id; // The background load never ends.
    }
  }
  for (let key = 0; key < keys; key++) await cacheme.get(new Payload(key));
  isLoaded = true;
  clock.ahead = age;
  return async () => {
    for (let read = 0; read < readsPerRound; read++) await cacheme.get(new Payload((read * 7919) % keys));
    const { missCount } = cacheme.stats();
    if (missCount !== keys) throw new Error(`Expected hits only, got ${missCount} misses.`);
  };
}

const stale: NodeMeta = { staleWhileRevalidate: "10d", loadTimeout: false };
const variants = [
  { what: "fresh hit of a class without the options", round: await hits({}, 0) },
  { what: "fresh hit, staleWhileRevalidate", round: await hits(stale, 0) },
  { what: "stale hit", round: await hits(stale, day + 1) },
  { what: "hit, refreshAhead", round: await hits({ refreshAhead: true }, 0) },
  {
    what: "early-refreshed hit",
    round: await hits({ refreshAhead: { threshold: 0.01 }, loadTimeout: false }, day / 2),
  },
];
const rounds = variants.map(({ round }) => round);
const ratios = await interleaved(rounds, processorTime, { rounds: 15 });
for (const [place, ratio] of ratios.entries())
  console.log((variants[place + 1]?.what ?? "").padEnd(40), ratio.toFixed(2), "(aim: 1.25)");
process.exit();
