/** Returns the promise's rejection. Fails the test if the promise resolves. */
export async function reason(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`It was to be rejected, and answered ${String(value)}.`);
}

/** Returns the error that the function throws. Fails the test if it does not throw. */
export function thrownBy(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error("It was to throw.");
}
