import { AsyncResource } from "node:async_hooks";

/**
 * The async context of one call of `get`, `getAll` or `refresh`. A load runs in this context, not
 * in that of the batch.
 */
export class CallContext {
  readonly #resource: AsyncResource = new AsyncResource("CACHEME_CALL", { requireManualDestroy: true });

  run<T>(body: () => T): T {
    return this.#resource.runInAsyncScope(body);
  }
}

/** The context of no call, for a `loadAll` that answers several calls with a context each. */
export const neutralContext: CallContext = new CallContext();
