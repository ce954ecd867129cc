import { optionError, shown } from "../option-checks.js";
import { untilAborted } from "./until-aborted.js";

/**
 * Reads an iterable in lists of one size. An iterable that waits delays the list, so that the lists
 * stay whole. Once the signal aborts, nothing waits for an asynchronous iterable.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for anything but an iterable
 */
export function batchesOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly T[], void, void> {
  const isIterable = Symbol.asyncIterator in Object(items) || Symbol.iterator in Object(items);
  // The characters of a string are no nodes.
  if (isIterable && typeof items !== "string") return batches(items, size, signal);
  throw optionError(
    `warm() expected nodes as a list, an iterable or an async iterable, got ${shown(items)}.`,
  );
}

async function* batches<T>(
  items: Iterable<T> | AsyncIterable<T>,
  size: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly T[], void, void> {
  if (Array.isArray(items)) {
    for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
    return;
  }
  let batch: T[] = [];
  // An iterable that answers at once must not wait for a promise at each item.
  if (Symbol.iterator in items) {
    for (const item of items) {
      if (batch.push(item) < size) continue;
      yield batch;
      batch = [];
    }
  } else {
    for await (const item of untilAborted(items, signal)) {
      if (batch.push(item) < size) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
