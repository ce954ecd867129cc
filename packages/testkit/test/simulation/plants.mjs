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
    name: "revalidates twice",
    edits: [
      {
        file: "core/src/read/leasing.ts",
        find: "return runtime.meta.lease !== undefined && tier.storage.leases.isSupported;",
        replace:
          "return runtime.meta.lease !== undefined && tier.storage.leases.isSupported && flight.revalidates === undefined;",
      },
      {
        file: "core/src/read/leasing.ts",
        find: "needs({ runtime }: Flight, tier: RemoteTier): boolean {",
        replace: "needs(flight: Flight, tier: RemoteTier): boolean {\n    const { runtime } = flight;",
      },
    ],
  },
  {
    name: "serves beyond the bound",
    edits: [
      {
        file: "core/src/entry/lifetime.ts",
        find: "return freshUntil + whileRevalidate > now;",
        replace: "return freshUntil + 2 * whileRevalidate > now;",
      },
      {
        file: "core/src/entry/lifetime.ts",
        find: "return freshUntil + ifError > now;",
        replace: "return freshUntil + 2 * ifError > now;",
      },
      {
        file: "core/src/node/meta.ts",
        find: "heldFor: Math.max(stale?.ifError ?? 0,",
        replace: "heldFor: Math.max(2 * (stale?.ifError ?? 0),",
      },
    ],
  },
  {
    name: "windows that add up through two tiers",
    edits: [
      {
        file: "core/src/entry/lifetime.ts",
        find: "lifetime.limit : Math.min(lifetime.limit, now + ttl);",
        replace: "lifetime.limit : now + ttl;",
      },
    ],
  },
  {
    name: "serves stale after an invalidation",
    edits: [
      {
        file: "core/src/read/local-tiers.ts",
        find: "    if (entry.generations !== undefined && !areCurrent(entry.generations)) return false;\n",
        replace: "",
      },
    ],
  },
  {
    name: "early refresh never",
    edits: [
      {
        file: "core/src/runtime/refresh-ahead.ts",
        find: "return left <= life * (1 - (threshold ?? 1));",
        replace: "return left < 0 * life * (1 - (threshold ?? 1));",
      },
    ],
  },
  {
    name: "back-off ignored",
    edits: [
      {
        file: "core/src/runtime/back-offs.ts",
        find: "    return this.until(key) > now;",
        replace: "    return this.until(key) > now && now < 0;",
      },
      {
        file: "core/src/runtime/back-offs.ts",
        find: "    if (this.#failures.size === 0) return Number.NEGATIVE_INFINITY;",
        replace: "    if (this.#failures.size >= 0) return Number.NEGATIVE_INFINITY;",
      },
    ],
  },
  {
    name: "saved before its source has it",
    edits: [
      {
        file: "core/src/write/save.ts",
        find: "    await write.begin();\n",
        replace: "    await write.begin();\n    await write.saved();\n",
      },
    ],
  },
  {
    name: "save around that leaves the tiers",
    edits: [
      {
        file: "core/src/write/save.ts",
        find: "    this.#throwIncomplete(given, await this.#remove(given));\n",
        replace: "",
      },
    ],
  },
  {
    name: "pattern that leaves the local tiers",
    edits: [
      {
        file: "core/src/write/invalidate-matching.ts",
        find: "    for (const { storage } of localTiers) {\n      for (const space of spaces) {",
        replace: "    for (const { storage } of localTiers.slice(1)) {\n      for (const space of spaces) {",
      },
    ],
  },
  {
    name: "pattern that overtakes nothing",
    edits: [
      {
        file: "core/src/write/invalidate-matching.ts",
        find: "    const { table } = this.#environment;\n    for (const kind of",
        replace:
          "    const { table } = this.#environment;\n    if (this.#birth > 0) return;\n    for (const kind of",
      },
    ],
  },
  {
    name: "expire that ends no ttl remotely",
    edits: [
      {
        file: "core/src/write/expire.ts",
        find: "if (bytes === undefined || operation.fenced) {",
        replace: "if (bytes === undefined || operation.fenced || token !== undefined) {",
      },
    ],
  },
  {
    name: "soft time ignored",
    edits: [
      {
        file: "core/src/read/load-timers.ts",
        find: "if (softTimeout === undefined || this.#soft !== undefined) return;",
        replace: "if (softTimeout === undefined || this.#soft === undefined) return;",
      },
    ],
  },
  {
    name: "hard time ignored",
    edits: [
      {
        file: "core/src/read/load-timers.ts",
        find: "    if (loadTimeout === undefined) return;",
        replace: "    if (loadTimeout !== 0) return;",
      },
    ],
  },
  {
    name: "own ttl ignored",
    edits: [
      {
        file: "core/src/node/policy/retention.ts",
        find: '    if (typeof ttl !== "function") return ttl;',
        replace: '    if (typeof ttl !== "function" || ttl.length > 0) return undefined;',
      },
    ],
  },
  {
    name: "shouldCache ignored",
    edits: [
      {
        file: "core/src/node/policy/retention.ts",
        find: 'if (typeof answer === "boolean") return answer;',
        replace: 'if (typeof answer === "boolean") return true;',
      },
    ],
  },
  {
    name: "errors kept three times as long",
    edits: [
      {
        file: "core/src/node/policy/error-ttl.ts",
        find: '    if (typeof ttl !== "function") return ttl;',
        replace: '    if (typeof ttl !== "function") return 3 * ttl;',
      },
    ],
  },
  {
    name: "errors kept in local tiers only",
    edits: [
      {
        file: "core/src/write/store.ts",
        find: "if (bytes instanceof SerializationError || tiers.length === 0) {",
        replace: "if (bytes instanceof SerializationError || bytes.isError || tiers.length === 0) {",
      },
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
