import type { RemoteStorage } from "cacheme/driver";
import { afterEach } from "vitest";

/** What a test has made, given back after it in the opposite order. */
export function cleanup(): {
  /** Closes the storage after the test. */
  closing<S extends RemoteStorage>(storage: S): S;
  after(act: () => unknown): void;
} {
  const acts: (() => unknown)[] = [];
  afterEach(async () => {
    for (const act of acts.splice(0).reverse()) await act();
  });
  return {
    closing(storage) {
      acts.push(() => storage.close());
      return storage;
    },
    after: (act) => acts.push(act),
  };
}

/** Waits until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error("It did not come to be within 15 s.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a call was answered. */
export function works(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}
