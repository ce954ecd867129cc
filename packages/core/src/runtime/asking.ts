import type { LoadContext, Node } from "../node/node.js";
import type { MaybePromise } from "../node/value-of.js";
import type { Tag } from "../tags/tag.js";
import type { CallContext } from "./call-context.js";
import type { ClassRuntime } from "./class-runtime.js";
import type { FlightEnd, Prefetching } from "./flight-steps.js";
import type { ReplacedEntry } from "./replaced-entry.js";
import type { RunningLoad } from "./running-load.js";

/** A reader's load, which replaces the node's own. */
export type LoadOverride = (context: LoadContext) => MaybePromise<unknown>;

/** The read that opens a flight. */
export interface Asking {
  readonly runtime: ClassRuntime;
  readonly node: Node;
  readonly key: string;
  /** Default: the context of the caller that runs now. */
  readonly call: CallContext | undefined;
  /** The load in which it reads, if it is in one. */
  readonly opener: RunningLoad | undefined;
  /** The node's tags; default: asks the node. */
  readonly tags?: readonly Tag[] | undefined;
}

/** The options in which a flight differs from a plain read. */
export interface FlightOptions {
  readonly refreshes?: boolean;
  readonly override?: LoadOverride | undefined;
  /** The entry that its load replaces, if a remote tier has answered it. */
  readonly replaced?: ReplacedEntry | undefined;
  /** Called at the end of a flight that replaces a stale entry in the background. */
  readonly revalidates?: FlightEnd | undefined;
  /** Set for a flight that loads a node before it is read. Readers may join it. */
  readonly prefetches?: Prefetching | undefined;
  /** The end of the fresh entry that it replaces; see `Flight`. Default: it replaces stale ones only. */
  readonly dueUntil?: number | undefined;
}
