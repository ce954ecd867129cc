import type { Node } from "../node/node.js";
import type { WarmFailure } from "./warm-batch.js";
import type { WarmProgress } from "./warm-options.js";

/** The result of `warm`. */
export interface WarmReport extends WarmProgress {
  readonly total: number;
  /** The first 100 failures, each with its node. */
  readonly failures: readonly WarmFailure[];
  /** Milliseconds. */
  readonly duration: number;
}

/** Nodes to warm. */
export type Warmable = Iterable<Node> | AsyncIterable<Node>;
