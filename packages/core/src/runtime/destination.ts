import { Distrust } from "../tiers/distrust.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";

/**
 * The destination of one remote tier's writes and removals: the storage that has the tier's name
 * now. It outlives each storage and each kind, because several clients of one server may carry out
 * requests in any order.
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
