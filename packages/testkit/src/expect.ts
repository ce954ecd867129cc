import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import type { RemoteStorage, StoredRecord } from "cacheme/driver";
import { isError } from "cacheme/driver";

/** Creates a record with a string, for a minute by default. */
export function record(key: string, value: string, ttl: number | undefined = 60_000): StoredRecord {
  return { key, bytes: Buffer.from(value), ttl };
}

/** Reads the values of the keys as strings. */
export async function readTexts(
  storage: RemoteStorage,
  ...keys: readonly string[]
): Promise<(string | undefined)[]> {
  const found = await storage.readMany(keys);
  return found.map((bytes) => (bytes === undefined ? undefined : Buffer.from(bytes).toString()));
}

/**
 * Waits until a condition is true. It polls, because the condition depends on the server's clock or
 * the network.
 */
export async function until(holds: () => Promise<boolean>, what: string, atMost = 20_000): Promise<void> {
  const end = performance.now() + atMost;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`Expected within ${atMost} ms: ${what}`);
    await wait(5);
  }
}

/** Waits for some milliseconds of real time. */
export function pass(milliseconds: number): Promise<void> {
  return wait(milliseconds);
}

/** Returns the result of a call that may fail: its error's code, or "answered". */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "answered";
  } catch (error) {
    return codeOf(error);
  }
}

/** Asserts that a call fails with one of the codes, and returns its error. */
export async function refused(call: Promise<unknown>, ...codes: readonly string[]): Promise<Error> {
  try {
    await call;
  } catch (error) {
    assert.ok(isError(error), "expected a call to reject with an Error");
    const code = codeOf(error);
    assert.ok(codes.includes(code), `expected ${codes.join(" or ")}, got ${code}: ${error.message}`);
    return error;
  }
  assert.fail(`expected ${codes.join(" or ")}, got an answer`);
}

/**
 * Runs a call with a deadline, and fails if the call takes much longer. A busy machine gets two
 * more seconds.
 */
export async function bounded<T>(deadline: number, call: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  try {
    return await call();
  } finally {
    const took = performance.now() - begin;
    assert.ok(took < deadline + 2000, `expected an end within ${deadline} ms, got ${Math.round(took)} ms`);
  }
}

function codeOf(error: unknown): string {
  return isError(error) && "code" in error ? String(error.code) : `no code (${String(error)})`;
}
