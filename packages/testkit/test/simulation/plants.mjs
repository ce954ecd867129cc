/**
 * A fault to plant in Cacheme or in the simulated servers, to show that the simulation finds it.
 *
 * @typedef {object} Plant
 * @property {string} name
 * @property {readonly import("./bundle.mjs").Edit[]} [edits] changes of Cacheme's sources
 * @property {readonly string[]} [serverFaults]
 */

/** @type {readonly Plant[]} */
export const plants = [
  {
    name: "no fence",
    edits: [
      { file: "core/src/runtime/operation.ts", find: "    this.fenced = true;", replace: "" },
      { file: "core/src/runtime/flight.ts", find: "    this.fenced = true;", replace: "" },
    ],
  },
  { name: "fill without token", serverFaults: ["fill without token"] },
  { name: "removal that leaves the lease", serverFaults: ["removal leaves the lease"] },
  {
    name: "distrust forgotten",
    edits: [{ file: "core/src/runtime/distrust.ts", find: "    this.#keys.add(key);", replace: "" }],
  },
  {
    name: "clock of the reader used",
    edits: [
      {
        file: "core/src/tiers/storage-clock.ts",
        find: "this.offset = Math.abs(offset) <= uncertainty ? 0 : offset;",
        replace: "this.offset = 0;",
      },
    ],
  },
];
