/**
 * Reads an asynchronous iterable until the signal aborts, even if its next item never comes. It then
 * asks the iterable to end, and waits no longer.
 *
 * @throws the signal's reason, once it has aborted
 */
export function untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncIterable<T> {
  return signal === undefined ? items : { [Symbol.asyncIterator]: () => abortable(items, signal) };
}

async function* abortable<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, void> {
  const iterator = items[Symbol.asyncIterator]();
  // One listener serves all items: a race for each would keep a reaction for each.
  let leave: () => void = () => {};
  const aborted = () => leave();
  signal.addEventListener("abort", aborted);
  const next = () =>
    new Promise<IteratorResult<T>>((resolve, reject) => {
      signal.throwIfAborted();
      leave = () => reject(signal.reason);
      Promise.resolve(iterator.next()).then(resolve, reject);
    });
  let isOpen = false;
  try {
    for (;;) {
      isOpen = false; // An iterator that throws has ended.
      const { done, value } = await next();
      if (done === true) return;
      isOpen = true;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", aborted);
    if (signal.aborted) void end(iterator);
    else if (isOpen) await iterator.return?.();
  }
}

async function end(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // The caller has the signal's reason.
  }
}
