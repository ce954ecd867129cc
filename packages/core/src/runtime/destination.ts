import type { RemoteBatch } from "../tiers/remote-batch.js";
import { Distrust } from "./distrust.js";

/**
 * Where the writes and removals of one remote tier go: the storage that has the tier's name now. It outlives each storage and
 * each kind, because another client of the same server may carry out requests in any order, too.
 */
export class Destination {
  /** Its place among the destinations of the same keys. */
  readonly index: number;
  storage: RemoteBatch;
  /** The keys for which the tier is not read. */
  readonly distrust: Distrust = new Distrust();

  constructor(index: number, storage: RemoteBatch) {
    this.index = index;
    this.storage = storage;
  }
}
