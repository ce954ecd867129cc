import { Cacheme } from "./cacheme.js";

/**
 * The functions of the module are the methods of one default instance. Each is typed as the method, so that its generics and
 * its documentation are the method's.
 */
const cacheme = new Cacheme();

/** Binding keeps a hit as cheap as a call of the method; the method's own type says what binding would lose. */
function bound<K extends keyof Cacheme>(name: K): Cacheme[K] {
  const method: unknown = cacheme[name];
  return typeof method === "function" ? method.bind(cacheme) : cacheme[name];
}

export const registerStorage: Cacheme["registerStorage"] = bound("registerStorage");
export const get: Cacheme["get"] = bound("get");
export const getAll: Cacheme["getAll"] = bound("getAll");
export const getAllSettled: Cacheme["getAllSettled"] = bound("getAllSettled");
export const peek: Cacheme["peek"] = bound("peek");
export const peekLocal: Cacheme["peekLocal"] = bound("peekLocal");
export const getSync: Cacheme["getSync"] = bound("getSync");
export const set: Cacheme["set"] = bound("set");
export const setAll: Cacheme["setAll"] = bound("setAll");
export const invalidate: Cacheme["invalidate"] = bound("invalidate");
export const refresh: Cacheme["refresh"] = bound("refresh");
export const memoize: Cacheme["memoize"] = bound("memoize");
export const memoizeSync: Cacheme["memoizeSync"] = bound("memoizeSync");
export const memoized: Cacheme["memoized"] = bound("memoized");
export const nodes: Cacheme["nodes"] = bound("nodes");
export const stats: Cacheme["stats"] = bound("stats");
export const storages: Cacheme["storages"] = bound("storages");
export const setPrefix: Cacheme["setPrefix"] = bound("setPrefix");
export const on: Cacheme["on"] = bound("on");
export const close: Cacheme["close"] = bound("close");
