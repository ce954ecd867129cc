import type { LoadSpace } from "../node/reads.js";
import { sharedState } from "../shared-state.js";
import type { Load } from "./load.js";

/**
 * Returns the asynchronous load in which the caller runs, if any. A read only calls it after it has
 * missed the local tiers.
 */
export function currentLoad(): Load | undefined {
  if (sharedState.loadsRunning === 0) return undefined;
  // Another copy of this package may have put it there; copies with this contract have the same
  // loads.
  const load = sharedState.loadFrames.getStore() as Load | undefined;
  return load === undefined || load.ended ? undefined : load;
}

/**
 * Returns the space of the load in which the caller runs, synchronous or not; `undefined` outside
 * of loads.
 */
export function currentSpace(): LoadSpace | undefined {
  const { synchronousLoads } = sharedState;
  if (synchronousLoads.length > 0) return synchronousLoads.at(-1) as LoadSpace; // As in currentLoad.
  return currentLoad()?.space;
}

/**
 * Returns whether no load runs in this process, so that {@link currentSpace} need not be called.
 */
export function noLoadRuns(): boolean {
  return sharedState.loadsRunning === 0 && sharedState.synchronousLoads.length === 0;
}

/**
 * Runs a load's function, and records the reads that it makes as its own. The caller must call
 * {@link leaveLoad} once afterwards.
 */
export function enterLoad<T>(load: Load, body: (load: Load) => T): T {
  sharedState.loadsRunning += 1;
  if (load.recording !== undefined) sharedState.recordings += 1;
  return sharedState.loadFrames.run(load, body, load);
}

/**
 * Ends a load's run. While a context is in use, Node 20 makes every `await` of the process about
 * twice as slow. So the context is released when idle.
 *
 * @param isRecording whether the load records the nodes that it reads
 */
export function leaveLoad(isRecording: boolean): void {
  sharedState.loadsRunning -= 1;
  if (isRecording) sharedState.recordings -= 1;
  if (sharedState.loadsRunning === 0) sharedState.loadFrames.disable();
}

/**
 * Runs a synchronous load of the space.
 *
 * @param recording records the nodes that the load reads
 */
export function runSynchronously<T>(space: LoadSpace, recording: object | undefined, body: () => T): T {
  sharedState.synchronousLoads.push(space);
  sharedState.synchronousRecordings.push(recording);
  if (recording !== undefined) sharedState.recordings += 1;
  try {
    return body();
  } finally {
    sharedState.synchronousLoads.pop();
    sharedState.synchronousRecordings.pop();
    if (recording !== undefined) sharedState.recordings -= 1;
  }
}
