import { afterEach } from "vitest";

/** Undoes after each test what the test made. */
export interface Cleanup {
  /** Closes the storage after the test. */
  closing<S extends { close(): Promise<unknown> }>(storage: S): S;
  after(act: () => unknown): void;
}

/** Registers the cleanup for the tests of this suite. The last thing that was made goes first. */
export function cleanup(): Cleanup {
  const acts: (() => unknown)[] = [];
  afterEach(async () => {
    for (const act of acts.splice(0).reverse()) await act();
  });
  return {
    closing(storage) {
      acts.push(() => storage.close());
      return storage;
    },
    after: (act) => void acts.push(act),
  };
}

/** Asks again until the answer is true. An error counts as no. The test's time limit ends it. */
export async function until(isSo: () => unknown): Promise<void> {
  const asked = async (): Promise<unknown> => isSo();
  while (!(await asked().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Whether a call succeeds. */
export function works(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}
