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
      {
        file: "core/src/runtime/operation.ts",
        find: "  fence(_birth: number): void {\n    this.fenced = true;",
        replace: "  fence(_birth: number): void {",
      },
      {
        file: "core/src/runtime/flight.ts",
        find: "  override fence(birth: number): void {",
        replace: "  override fence(birth: number): void {\n    if (birth >= 0) return;",
      },
    ],
  },
  { name: "fill without token", serverFaults: ["fill without token"] },
  {
    name: "generation read after the load",
    edits: [
      {
        file: "core/src/runtime/capture-tags.ts",
        find: "tagged.captureTold(storage, grantedAt(flight, tier));",
        replace: "tagged.captureTold(storage, Number.POSITIVE_INFINITY);",
      },
    ],
  },
  { name: "removal that leaves the lease", serverFaults: ["removal leaves the lease"] },
  {
    name: "blind `set`",
    edits: [
      {
        file: "core/src/runtime/write-queue.ts",
        find: "return this.#current?.writes[0]?.lease;",
        replace: "return undefined;",
      },
    ],
  },
  {
    name: "joined readers not sent to read again",
    edits: [
      {
        file: "core/src/read/landing.ts",
        find: "    if (late !== undefined) {\n      if (fenced) {",
        replace: "    if (late !== undefined) {\n      if (fenced && flight.readers < 0) {",
      },
    ],
  },
  {
    name: "bus message that drops but does not fence",
    edits: [
      {
        file: "core/src/runtime/node-kind.ts",
        find: "    if (this.#isLeased) operations?.clear();\n    else operations?.fenceOlderThan(birth);",
        replace: "    if (birth < 0) operations?.clear();",
      },
    ],
  },
  {
    name: "gap ignored",
    edits: [
      {
        file: "core/src/bus/origins.ts",
        find: "const isGap = before > known.sequence;",
        replace: "const isGap = false;",
      },
    ],
  },
  {
    name: "distrust forgotten",
    edits: [
      { file: "core/src/tiers/distrust.ts", find: "    this.#removals.set(key, removal);", replace: "" },
    ],
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
