import type { NodeMeta } from "../../src/index.js";
import { deferred, settled } from "./deferred.js";
import { countingNode, type Space } from "./space.js";

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

/**
 * Lets an invalidation overtake the load that begins once a value has this age in milliseconds. The
 * third load answers "load 3".
 *
 * @returns the value that is read afterwards
 */
export async function readOvertaken({ cacheme, clock }: Space, meta: NodeMeta, age: number) {
  const gate = deferred<string>();
  const { Counting } = countingNode<string>(meta, (_, load) => (load === 2 ? gate.promise : `load ${load}`));
  await cacheme.get(new Counting(1));
  clock.advance(age);
  await cacheme.get(new Counting(1));
  await settled();
  await cacheme.invalidate(new Counting(1));
  gate.resolve("overtaken");
  await settled();
  return await cacheme.get(new Counting(1));
}
