import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cost, Setup } from "./cost.js";
import type { PathName } from "./paths.js";

type Requests = Cost["requests"];

/** Requests by set-up. */
type Everywhere = Readonly<Record<Setup, Requests>>;

const nothing: Everywhere = { local: {}, remote: {}, "local and remote": {}, "two remotes": {} };

/** One request to the tier on the left, if it is remote. */
const nearestRead: Everywhere = {
  ...nothing,
  remote: { "far reads": 1 },
  "two remotes": { "near reads": 1 },
};

/** Returns one request of a kind to each remote tier. */
const one = (kind: "reads" | "writes" | "removals"): Everywhere => ({
  local: {},
  remote: { [`far ${kind}`]: 1 },
  "local and remote": { [`far ${kind}`]: 1 },
  "two remotes": { [`near ${kind}`]: 1, [`far ${kind}`]: 1 },
});

const both = (some: Everywhere, others: Everywhere): Everywhere => ({
  local: { ...some.local, ...others.local },
  remote: { ...some.remote, ...others.remote },
  "local and remote": { ...some["local and remote"], ...others["local and remote"] },
  "two remotes": { ...some["two remotes"], ...others["two remotes"] },
});

type Counts = readonly [reads: number, writes: number];

/** Returns the reads and writes of remote tiers. */
const nested = (remote: Counts, behindLocal: Counts, near: Counts, far: Counts): Everywhere => ({
  local: {},
  remote: counted("far", remote),
  "local and remote": counted("far", behindLocal),
  "two remotes": { ...counted("near", near), ...counted("far", far) },
});

const counted = (tier: "near" | "far", [reads, writes]: Counts): Requests => ({
  [`${tier} reads`]: reads,
  [`${tier} writes`]: writes,
});

const missed = both(one("reads"), one("writes"));

/** The promises of a request, for any number of keys, with the promise that ends the tick. */
const ofRequest = { reads: 11, writes: 13, removals: 13 };

interface Expected {
  readonly requests: Everywhere;
  readonly loads?: number;
  readonly bulkLoads?: number;
  /** The promises besides those of the requests. */
  readonly promises: number;
  /** The promises in set-ups that need another number. */
  readonly but?: Partial<Record<Setup, number>>;
}

/**
 * The expected costs. A reader, a call and a tick with loads cost a promise each. A load costs one,
 * for its answer. A `getAll` costs one for each key that it waits for.
 */
const expected: Readonly<Record<PathName, Expected>> = {
  "get of a key that the nearest tier has": { requests: nearestRead, promises: 1 },
  "get of a key that a remote tier has": { requests: one("reads"), promises: 1 },
  "100 gets of a key that a remote tier has": { requests: one("reads"), promises: 1 },
  "100 gets of as many keys that a remote tier has": { requests: one("reads"), promises: 100 },
  "get of a key that no tier has": { requests: missed, loads: 1, promises: 1 + 1 + 1 },
  "100 gets of a key that no tier has": { requests: missed, loads: 1, promises: 1 + 1 + 1 },
  "100 gets of as many keys that no tier has": { requests: missed, loads: 100, promises: 100 + 100 + 1 },
  "getAll of 1,000 keys that the nearest tier has": { requests: nearestRead, promises: 1 },
  "getAll of 1,000 keys that no tier has": { requests: missed, loads: 1_000, promises: 1 + 1_000 + 1 },
  "getAll of 1,000 keys that loadAll loads": { requests: missed, bulkLoads: 1, promises: 1 + 1 + 1 },
  "getAllSettled of 1,000 keys that the nearest tier has": { requests: nearestRead, promises: 1 },
  "getAllSettled of 1,000 keys that no tier has": { requests: missed, loads: 1_000, promises: 1 + 1_000 + 1 },
  "a refresh": { requests: one("writes"), loads: 1, promises: 1 + 1 + 1 },
  "100 refreshes of a key": { requests: one("writes"), loads: 1, promises: 1 + 1 + 1 },
  "a set": { requests: one("writes"), promises: 1 },
  // The first set leaves, finds itself overtaken and needs no request: its empty batch costs the
  // rest.
  "100 sets of a key": {
    requests: one("writes"),
    promises: 100,
    but: { remote: 100 + 8, "local and remote": 100 + 8, "two remotes": 100 + 23 },
  },
  "setAll of 100 keys": { requests: one("writes"), promises: 3 },
  "an invalidation": { requests: one("removals"), promises: 1 },
  // One request is under way; the next one serves all others.
  "500 invalidations of a key": {
    requests: {
      ...nothing,
      remote: { "far removals": 2 },
      "local and remote": { "far removals": 2 },
      "two remotes": { "near removals": 3, "far removals": 2 },
    },
    promises: 500,
    // Two of the requests leave in one tick.
    but: { "two remotes": 500 - 1 },
  },
  "an invalidation of 500 keys": { requests: one("removals"), promises: 1 },
  "a peek": { requests: nearestRead, promises: 1, but: { remote: 3, "two remotes": 3 } },
  "a peek at a key that no tier has": {
    requests: one("reads"),
    promises: 3,
    but: { local: 1, "two remotes": 5 },
  },
  peekLocal: { requests: nothing, promises: 0 },
  "getSync of a key that the nearest tier has": { requests: nothing, promises: 0 },
  "getSync of a key that no tier has": { requests: nothing, promises: 0 },
  // The nested read costs two more: its own, and one for its reader.
  "get of a key whose load reads another one": {
    requests: nested([2, 2], [2, 2], [2, 2], [2, 2]),
    loads: 2,
    promises: 3 + 3 + 4,
  },
  "get of a key whose load reads one that the nearest tier has": {
    requests: nested([2, 1], [1, 1], [2, 1], [1, 1]),
    loads: 1,
    promises: 3 + 1,
    but: { remote: 3 + 1 + 4, "two remotes": 3 + 1 + 4 },
  },
  // A reader that may leave has a promise of its own, and one that waits for the others' answer.
  "get with a signal of a key that the nearest tier has": {
    requests: nearestRead,
    promises: 1,
    but: { remote: 1 + 2, "two remotes": 1 + 2 },
  },
  "get with a signal of a key that no tier has": { requests: missed, loads: 1, promises: 1 + 1 + 1 + 2 },
  "get with a maxAge that the nearest tier keeps": { requests: nearestRead, promises: 1 },
  "get with a maxAge of a key that no tier has": { requests: missed, loads: 1, promises: 1 + 1 + 1 },
  "get with a maxAge beside a plain get of a key that no tier has": {
    requests: missed,
    loads: 1,
    promises: 2 + 1 + 1,
  },
  "100 gets with as many maxAges of a key that no tier has": {
    requests: missed,
    loads: 1,
    promises: 100 + 1 + 1,
  },
};

describe("the exact cost of a call", () => {
  let program: Program;
  let costs: Record<string, Record<string, Cost>>;
  beforeAll(async () => {
    program = await bundleProgram(new URL("costs.program.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program.path]);
    costs = JSON.parse(stdout);
  }, 60_000);
  afterAll(() => program.remove());

  it.each(Object.entries(expected))("%s", (name, { requests, loads = 0, bulkLoads = 0, promises, but }) => {
    const measured = costs[name] ?? {};
    const wanted: Record<string, Cost> = {};
    for (const setup of Object.keys(measured) as Setup[]) {
      let sum = but?.[setup] ?? promises;
      for (const [request, count] of Object.entries(requests[setup])) {
        sum += count * ofRequest[request.split(" ")[1] as keyof typeof ofRequest];
      }
      wanted[setup] = { requests: requests[setup], loads, bulkLoads, promises: sum };
    }
    expect(Object.keys(measured)).not.toEqual([]);
    expect(measured).toEqual(wanted);
  });
});
