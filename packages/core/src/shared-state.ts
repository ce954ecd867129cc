import { AsyncLocalStorage } from "node:async_hooks";

/**
 * The state that all copies of this package in one process share. Copies are two installed
 * versions, or bundles that each hold the package. The types are open, because another copy may
 * have made the values.
 */
export interface SharedState {
  /** The default space, made by the copy that needs it first. */
  defaultSpace: unknown;
  /** The load in which the caller runs. */
  readonly loadFrames: AsyncLocalStorage<unknown>;
  /** The scope in which the caller runs. */
  readonly scopeFrames: AsyncLocalStorage<unknown>;
  /** The request in which the caller runs. */
  readonly requestFrames: AsyncLocalStorage<unknown>;
  /** The number of requests under way. */
  requestsRunning: number;
  /** The database transaction in which the caller runs. */
  readonly commitFrames: AsyncLocalStorage<unknown>;
  /** The number of database transactions under way. */
  commitsRunning: number;
  /** The number of functions under way that run in a scope. */
  scopesRunning: number;
  /** The number of loads under way that record the nodes that they read. */
  recordings: number;
  /** The recordings of the synchronous loads that run, the innermost last. */
  readonly synchronousRecordings: unknown[];
  /** The number of asynchronous loads under way. */
  loadsRunning: number;
  /** The spaces whose synchronous loads run, the innermost last. */
  readonly synchronousLoads: unknown[];
  /** The names of the journals that are registered in a space which is not closed. */
  readonly journals: WeakMap<object, string>;
  /** The count of numbers given to kinds for their keys in local storages. */
  localSpaces: number;
}

/**
 * The number names the contract between the copies, {@link SharedState}. Copies with another number
 * keep apart.
 */
const symbol = Symbol.for("cacheme.shared-state.2");

const holder = globalThis as { [symbol]?: SharedState };

export const sharedState: SharedState = holder[symbol] ?? {
  defaultSpace: undefined,
  loadFrames: new AsyncLocalStorage(),
  scopeFrames: new AsyncLocalStorage(),
  requestFrames: new AsyncLocalStorage(),
  requestsRunning: 0,
  commitFrames: new AsyncLocalStorage(),
  commitsRunning: 0,
  scopesRunning: 0,
  recordings: 0,
  synchronousRecordings: [],
  loadsRunning: 0,
  synchronousLoads: [],
  journals: new WeakMap(),
  localSpaces: 0,
};

holder[symbol] = sharedState;

/**
 * Returns a number that no other kind in the process has, so that two spaces may share one local
 * storage.
 */
export function nextLocalSpace(): number {
  return sharedState.localSpaces++;
}
