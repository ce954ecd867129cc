#!/usr/bin/env node
// npm run fuzz -- --storage redis --seed 1 --minutes 10: random operations of real processes on a real
// server while processes, server and network fail. Each run of 16 faults has the next seed. --no-bus
// leaves the bus out. It ends at the first broken promise; with --all it goes on.
import { parseArgs } from "node:util";
import { runFuzz } from "../packages/test-services/dist/fuzz/fuzz.js";
import { bundleProgram, server } from "../packages/test-services/dist/index.js";

const { values: given } = parseArgs({
  options: {
    storage: { type: "string", default: "redis" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
    minutes: { type: "string", default: "5" },
    processes: { type: "string", default: "4" },
    "no-bus": { type: "boolean", default: false },
    all: { type: "boolean", default: false },
  },
});

/** The storages whose packages have a program, and whether they have a bus. */
const storages = /** @type {const} */ ({ redis: true, postgres: true, memcached: false });

/**
 * @param {string} name
 * @returns {name is keyof typeof storages}
 */
function isKnown(name) {
  return Object.hasOwn(storages, name);
}

const { storage } = given;
if (!isKnown(storage))
  throw new Error(`Expected --storage ${Object.keys(storages).join(", ")}, got "${storage}".`);
const hasBus = storages[storage];

const program = await bundleProgram(new URL(`../packages/${storage}/test/fuzz.program.ts`, import.meta.url));
const end = Date.now() + Number(given.minutes) * 60_000;
try {
  for (let seed = Number(given.seed); Date.now() < end; seed++) {
    const running = await server(storage);
    try {
      const { violations, counts, faults, longest } = await runFuzz({
        server: running,
        program,
        seed,
        faults: 16,
        recovers: true,
        withBus: hasBus && !given["no-bus"],
        processes: Number(given.processes),
      });
      const calls = Object.values(counts).reduce((sum, count) => sum + count, 0);
      console.log(
        `seed ${seed}: ${calls} calls, ${faults.length} faults, the longest call took ${Math.round(longest)} ms`,
      );
      if (violations.length === 0) continue;
      console.log(violations.slice(0, 10).join("\n"));
      process.exitCode = 1;
      if (!given.all) break;
    } finally {
      await running.stop();
    }
  }
} finally {
  program.remove();
}
