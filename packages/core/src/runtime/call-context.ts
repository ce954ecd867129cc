import { AsyncResource } from "node:async_hooks";

/** The async context of one call of `get`, `getAll` or `refresh`: a load runs in there, not in that of the batch. */
export class CallContext {
  readonly #resource: AsyncResource = new AsyncResource("CACHEME_CALL", { requireManualDestroy: true });

  run<T>(body: () => T): T {
    return this.#resource.runInAsyncScope(body);
  }
}

/** Belongs to nobody: for a `loadAll` that answers several calls, each of which has a context of its own. */
export const neutralContext: CallContext = new CallContext();
