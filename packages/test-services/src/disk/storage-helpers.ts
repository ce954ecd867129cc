import { onTestFinished } from "vitest";
import type { DiskRecord, DiskStorage } from "./disk-storage.js";

/** Connects a storage, and closes it after the test. */
export async function connectedForTest<S extends DiskStorage>(storage: S): Promise<S> {
  onTestFinished(() => storage.close());
  await storage.connect();
  return storage;
}

export function record(key: string, value: string, ttl: number | undefined = undefined): DiskRecord {
  return { key, bytes: Buffer.from(value), ttl };
}

/** Reads a key's bytes as a string. */
export async function text(storage: DiskStorage, key: string): Promise<string | undefined> {
  const [bytes] = await storage.readMany([key]);
  return bytes && Buffer.from(bytes).toString();
}

/** Asks again until the answer is `true`; the test's own time limit ends it. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}
