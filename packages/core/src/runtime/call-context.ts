import { AsyncResource } from "node:async_hooks";

const resourceOptions = { requireManualDestroy: true };

/**
 * The async context of one call of `get`, `getAll` or `refresh`. A load runs in this context, not
 * in that of the batch.
 */
export interface CallContext {
  runInAsyncScope<This, Arguments extends unknown[], Result>(
    body: (this: This, ...given: Arguments) => Result,
    receiver?: This,
    ...given: Arguments
  ): Result;
}

/** Takes the caller's async context. The type names no module of Node, because it reaches the public types. */
export const CallContext: new () => CallContext = class extends AsyncResource {
  constructor() {
    super("CACHEME_CALL", resourceOptions);
  }
};

/** The context of no call, for a `loadAll` that answers several calls with a context each. */
export const neutralContext: CallContext = new CallContext();
