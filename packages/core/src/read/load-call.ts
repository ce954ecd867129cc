import type { MaybePromise } from "../node/value-of.js";
import { type CallContext, neutralContext } from "../runtime/call-context.js";
import type { Load } from "./load.js";
import { BulkContext, FlightContext } from "./load-context.js";
import { enterLoad } from "./load-frame.js";

/**
 * Calls the load's function as the load's own, so that it knows the reads that the function makes.
 * The caller calls `leaveLoad` once the function has ended.
 */
export function callLoad(load: Load): MaybePromise<unknown> {
  return contextOf(load).runInAsyncScope(run, undefined, load);
}

/**
 * Returns the async context of the call, if all flights come from one call. Otherwise no flight has
 * the right one.
 */
function contextOf({ flights }: Load): CallContext {
  const call = flights[0]?.call ?? neutralContext;
  return flights.length === 1 || flights.every((flight) => flight.call === call) ? call : neutralContext;
}

function run(load: Load): MaybePromise<unknown> {
  return enterLoad(load, callInScope);
}

/** Calls in the scope of the nodes, if they have one. All of them have the same. */
function callInScope(load: Load): MaybePromise<unknown> {
  const { scope } = load.runtime;
  const first = load.flights[0];
  if (scope === undefined || first === undefined) return callOnce(load);
  return scope.scopes.runAsKey(first.key, () => callOnce(load));
}

function callOnce(load: Load): MaybePromise<unknown> {
  const { flights, runtime, single } = load;
  const first = flights[0];
  if (single !== undefined && first !== undefined) {
    const context = new FlightContext(load, first);
    return first.override === undefined ? single.call(first.node, context) : single(context);
  }
  return runtime.loadAll?.(
    flights.map((flight) => flight.node),
    new BulkContext(load),
  );
}
