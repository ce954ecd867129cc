/** Why the promise was rejected. Fails the test where it was not. */
export async function reason(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`It was to be rejected, and answered ${String(value)}.`);
}

/** What the function threw. Fails the test where it did not. */
export function thrownBy(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error("It was to throw.");
}
