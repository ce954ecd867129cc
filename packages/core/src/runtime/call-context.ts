import { AsyncResource } from "node:async_hooks";

const resourceOptions = { requireManualDestroy: true };

/**
 * The async context of one call of `get`, `getAll` or `refresh`. A load runs in this context, not
 * in that of the batch.
 */
export class CallContext extends AsyncResource {
  constructor() {
    super("CACHEME_CALL", resourceOptions);
  }
}

/** The context of no call, for a `loadAll` that answers several calls with a context each. */
export const neutralContext: CallContext = new CallContext();
