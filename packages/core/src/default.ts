import { Cacheme } from "./cacheme.js";
import { memoize as memoizeIn, memoizeSync as memoizeSyncIn } from "./memoize/memoize.js";
import { memoized as memoizedIn } from "./memoize/memoized.js";
import type { Node } from "./node/node.js";
import { currentSpace, noLoadRuns } from "./read/load-frame.js";
import { sharedState } from "./shared-state.js";

/*
 * Returns the space of the caller. The functions of the module are the methods of one default
 * instance. All copies of the package in a process share it. Inside a load they are the methods of
 * the load's space. Each has the type of its method, so that it has the method's generics and
 * documentation.
 */

function space(): Cacheme {
  // Another copy of this package may have made it; copies with this contract have the same methods.
  const current = noLoadRuns() ? undefined : (currentSpace()?.cacheme as Cacheme | undefined);
  return current ?? defaultSpace();
}

function defaultSpace(): Cacheme {
  sharedState.defaultSpace ??= new Cacheme();
  return sharedState.defaultSpace as Cacheme; // As above.
}

/**
 * Returns a method of the space that the caller is in. Hot methods are written out below, because
 * spreading the arguments is slow.
 */
function method<K extends keyof Cacheme>(name: K): Cacheme[K] {
  const call = (...args: readonly unknown[]): unknown => {
    const current = space();
    const own: unknown = current[name];
    return typeof own === "function" ? own.apply(current, args) : own;
  };
  return call as unknown as Cacheme[K]; // It is called as the method is.
}

export const get: Cacheme["get"] = (node, options) => space().get(node, options);
export const getAll: Cacheme["getAll"] = (nodes, options) => space().getAll(nodes, options);
export const getSync: Cacheme["getSync"] = ((node: Node, options: never) =>
  space().getSync(node, options)) as Cacheme["getSync"]; // One body for both of its forms.

export const registerStorage: Cacheme["registerStorage"] = method("registerStorage");
export const registerBus: Cacheme["registerBus"] = method("registerBus");
export const busStatus: Cacheme["busStatus"] = method("busStatus");
export const getAllSettled: Cacheme["getAllSettled"] = method("getAllSettled");
export const peek: Cacheme["peek"] = method("peek");
export const peekAll: Cacheme["peekAll"] = method("peekAll");
export const explain: Cacheme["explain"] = method("explain");
export const peekLocal: Cacheme["peekLocal"] = method("peekLocal");
export const set: Cacheme["set"] = method("set");
export const setAll: Cacheme["setAll"] = method("setAll");
export const save: Cacheme["save"] = method("save");
export const saveAll: Cacheme["saveAll"] = method("saveAll");
export const registerJournal: Cacheme["registerJournal"] = method("registerJournal");
export const journals: Cacheme["journals"] = method("journals");
export const flush: Cacheme["flush"] = method("flush");
export const afterCommit: Cacheme["afterCommit"] = method("afterCommit");
export const invalidate: Cacheme["invalidate"] = method("invalidate");
export const expire: Cacheme["expire"] = method("expire");
export const touch: Cacheme["touch"] = method("touch");
export const setBackground: Cacheme["setBackground"] = method("setBackground");
export const invalidateTags: Cacheme["invalidateTags"] = method("invalidateTags");
export const invalidateSoon: Cacheme["invalidateSoon"] = method("invalidateSoon");
export const invalidateMatching: Cacheme["invalidateMatching"] = method("invalidateMatching");
export const invalidateAll: Cacheme["invalidateAll"] = method("invalidateAll");
export const defineScopes: Cacheme["defineScopes"] = method("defineScopes");
export const requestScope: Cacheme["requestScope"] = method("requestScope");
export const withScope: Cacheme["withScope"] = method("withScope");
export const invalidateScope: Cacheme["invalidateScope"] = method("invalidateScope");
export const refresh: Cacheme["refresh"] = method("refresh");
export const clear: Cacheme["clear"] = method("clear");
export const provide: Cacheme["provide"] = method("provide");
export const nodes: Cacheme["nodes"] = method("nodes");
export const stats: Cacheme["stats"] = method("stats");
export const storages: Cacheme["storages"] = method("storages");
export const setPrefix: Cacheme["setPrefix"] = method("setPrefix");
export const on: Cacheme["on"] = method("on");
export const relate: Cacheme["relate"] = method("relate");
export const suggestions: Cacheme["suggestions"] = method("suggestions");
export const warm: Cacheme["warm"] = method("warm");
export const warmOnSchedule: Cacheme["warmOnSchedule"] = method("warmOnSchedule");
export const close: Cacheme["close"] = method("close");

/** The functions that the module's memoized functions use. They use their caller's space. */
const callersSpace = { get, getSync, refresh, invalidate };

// The methods pass the same arguments on, so their types hold here too.
export const memoize: Cacheme["memoize"] = memoizeIn.bind(
  undefined,
  callersSpace,
) as unknown as Cacheme["memoize"];
export const memoizeSync: Cacheme["memoizeSync"] = memoizeSyncIn.bind(
  undefined,
  callersSpace,
) as unknown as Cacheme["memoizeSync"];
export const memoized: Cacheme["memoized"] = memoizedIn.bind(
  undefined,
  callersSpace,
) as unknown as Cacheme["memoized"];

/**
 * Replaces the default space with a new one: no storages, node classes, listeners or statistics,
 * and the default prefix. Closes the old space; loads under way still answer their readers. For
 * tests; if you made a `Cacheme`, make another one instead.
 *
 * @returns settles when the old space is closed
 * @example
 * ```ts
 * afterEach(() => reset());
 * ```
 */
export async function reset(): Promise<void> {
  const old = defaultSpace();
  sharedState.defaultSpace = new Cacheme();
  await old.close();
}
