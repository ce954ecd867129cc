import type { NodeMeta } from "../../src/index.js";
import { deferred } from "./deferred.js";
import { countingNode } from "./space.js";

/** Makes a node class that counts its loads, which all wait for one answer. */
export function loadingNode<V = string>(meta: NodeMeta) {
  const loading = deferred<V>();
  return { loading, ...countingNode(meta, () => loading.promise) };
}

/** Makes a node class that counts its two loads, which have an answer each. */
export function twoLoads(meta: NodeMeta) {
  const answers = [deferred<string>(), deferred<string>()] as const;
  return { answers, ...countingNode(meta, (_, load) => answers[load - 1]!.promise) };
}

/** Makes a node class whose first load answers "old", and whose later ones wait for the gate. */
export function heldReload(meta: NodeMeta) {
  const gate = deferred<string>();
  return { gate, ...countingNode<string>(meta, (_, load) => (load === 1 ? "old" : gate.promise)) };
}
