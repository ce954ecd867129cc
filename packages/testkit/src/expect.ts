import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import type { RemoteStorage, StoredRecord } from "cacheme/driver";
import { isError } from "cacheme/driver";

/** A record with a text in it, for a minute unless told otherwise. */
export function record(key: string, value: string, ttl: number | undefined = 60_000): StoredRecord {
  return { key, bytes: Buffer.from(value), ttl };
}

/** What stands under the keys, as texts. */
export async function readTexts(
  storage: RemoteStorage,
  ...keys: readonly string[]
): Promise<(string | undefined)[]> {
  const found = await storage.readMany(keys);
  return found.map((bytes) => (bytes === undefined ? undefined : Buffer.from(bytes).toString()));
}

/** Waits until something holds. What is waited for is the server's clock or the network, so it is asked again and again. */
export async function until(holds: () => Promise<boolean>, what: string, atMost = 20_000): Promise<void> {
  const end = performance.now() + atMost;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`${what}: not within ${atMost} ms`);
    await wait(5);
  }
}

/** Lets so many milliseconds go by on every clock. */
export function pass(milliseconds: number): Promise<void> {
  return wait(milliseconds);
}

/** What a call that may be refused came to: its error's code, or that it was answered. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "answered";
  } catch (error) {
    return codeOf(error);
  }
}

/** The call is refused with this code, and its message says something. */
export async function refused(call: Promise<unknown>, ...codes: readonly string[]): Promise<Error> {
  try {
    await call;
  } catch (error) {
    assert.ok(isError(error), "what a call rejects with is an Error");
    const code = codeOf(error);
    assert.ok(codes.includes(code), `expected ${codes.join(" or ")}, but it was ${code}: ${error.message}`);
    return error;
  }
  assert.fail(`expected ${codes.join(" or ")}, but the call was answered`);
}

/** Runs a call that has a deadline, and fails if it takes much longer than that. A busy machine has two seconds more. */
export async function bounded<T>(deadline: number, call: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  try {
    return await call();
  } finally {
    const took = performance.now() - begin;
    assert.ok(took < deadline + 2000, `a call with a deadline of ${deadline} ms took ${Math.round(took)} ms`);
  }
}

function codeOf(error: unknown): string {
  return isError(error) && "code" in error ? String(error.code) : `no code (${String(error)})`;
}
