import { type LoadContext, Node, type NodeMeta } from "../../src/index.js";
import { localOnly } from "./space.js";

/**
 * Makes a node class with one key, and keeps the signal of each load.
 *
 * @param load gets the signal and the number of the load, from 1
 */
export function watched<V>(load: (signal: AbortSignal, count: number) => V | Promise<V>) {
  const signals: AbortSignal[] = [];
  class Watched extends Node<V> {
    static override meta: NodeMeta = { caches: localOnly };
    key() {
      return "k";
    }
    override load({ signal }: LoadContext<V>) {
      return load(signal, signals.push(signal));
    }
  }
  return { Watched, signals };
}
