import { Cacheme } from "./cacheme.js";
import { memoize as memoizeIn, memoizeSync as memoizeSyncIn } from "./memoize/memoize.js";
import { memoized as memoizedIn } from "./memoize/memoized.js";
import type { Node } from "./node/node.js";
import { currentSpace, noLoadRuns } from "./read/load-frame.js";
import { sharedState } from "./shared-state.js";

/*
 * The functions of the module are the methods of one default instance, which all copies of the package in a process share.
 * Inside a load they are the methods of the load's space. Each is typed as the method, so that its generics and its
 * documentation are the method's.
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

/** A method of the space that the caller is in. The hot ones are written out below: spreading the arguments costs. */
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
export const getAllSettled: Cacheme["getAllSettled"] = method("getAllSettled");
export const peek: Cacheme["peek"] = method("peek");
export const peekAll: Cacheme["peekAll"] = method("peekAll");
export const peekLocal: Cacheme["peekLocal"] = method("peekLocal");
export const set: Cacheme["set"] = method("set");
export const setAll: Cacheme["setAll"] = method("setAll");
export const invalidate: Cacheme["invalidate"] = method("invalidate");
export const refresh: Cacheme["refresh"] = method("refresh");
export const clear: Cacheme["clear"] = method("clear");
export const provide: Cacheme["provide"] = method("provide");
export const nodes: Cacheme["nodes"] = method("nodes");
export const stats: Cacheme["stats"] = method("stats");
export const storages: Cacheme["storages"] = method("storages");
export const setPrefix: Cacheme["setPrefix"] = method("setPrefix");
export const on: Cacheme["on"] = method("on");
export const close: Cacheme["close"] = method("close");

/** What a function that was memoized by the module uses: the space that its caller is in. */
const callersSpace = { get, getSync, refresh, invalidate };

// The methods hand the same arguments on; what they say of types holds here too.
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
 * Makes the default space as new: no storages, node classes, listeners or statistics, and the default prefix. The old one is
 * closed, so that loads under way still answer their readers. For tests; a `Cacheme` of your own needs no reset, make another one.
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
