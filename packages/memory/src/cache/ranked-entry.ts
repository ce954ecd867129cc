import type { Standing } from "../policy/standing.js";

/** An entry as `ranked` yields it. */
export interface RankedEntry<K, V> {
  readonly space: number;
  readonly key: K;
  readonly value: V;
  readonly weight: number;
  readonly standing: Standing;
}
