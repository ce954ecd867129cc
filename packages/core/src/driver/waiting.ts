import { clearTimeout, setTimeout } from "../timers.js";

/** Waits, and keeps no process alive meanwhile. For authors of storages. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/**
 * Waits for a promise up to a time. The timer keeps no process alive. For authors of storages.
 *
 * @param late answers instead of the promise when the time has passed. It may throw
 *
 * @example
 * ```ts
 * const found = await within(2000, client.find(key), () => undefined);
 * ```
 */
export async function within<T, Late>(
  milliseconds: number,
  promise: Promise<T>,
  late: () => Late,
): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds).unref();
  });
  try {
    return await Promise.race([promise, passed.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns a function whose concurrent calls share one run. For authors of storages. */
export function oneAtATime<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
}
