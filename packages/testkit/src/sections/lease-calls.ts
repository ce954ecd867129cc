import assert from "node:assert/strict";
import type { LeaseAnswer, Leases, RemoteStorage } from "cacheme/driver";
import { record, until } from "../expect.js";

export const minute = 60_000;

export function leasesOf(storage: RemoteStorage | undefined): Leases {
  assert.ok(storage?.leases !== undefined, "the storage has no leases");
  return storage.leases;
}

export async function acquire(storage: RemoteStorage | undefined, key: string): Promise<LeaseAnswer> {
  const [answer] = await leasesOf(storage).acquire([{ key, duration: minute }]);
  assert.ok(answer !== undefined, "expected an answer of acquire for each key");
  return answer;
}

export async function granted(
  storage: RemoteStorage | undefined,
  key: string,
  { duration = minute, steal = false }: { duration?: number; steal?: boolean } = {},
): Promise<string> {
  const [answer] = await leasesOf(storage).acquire([{ key, duration, steal }]);
  return tokenOf(answer);
}

export function tokenOf(answer: LeaseAnswer | undefined): string {
  assert.equal(answer?.outcome, "granted");
  return answer.token;
}

export async function fill(
  storage: RemoteStorage,
  key: string,
  token: string,
  value: string,
): Promise<boolean> {
  const [stored] = await leasesOf(storage).fill([{ ...record(key, value), token }]);
  assert.ok(stored !== undefined, "expected an answer of fill for each key");
  return stored;
}

/** Stores bytes that are stale when this resolves, are kept for a minute and have no lease. */
export async function stale(storage: RemoteStorage, key: string, value: string): Promise<void> {
  await storage.writeMany([{ ...record(key, value), freshFor: 1 }]);
  const token = await untilStale(storage, key, minute);
  await leasesOf(storage).release([{ key, token }]);
}

/** Waits until the bytes are stale: a lease is then granted. */
export async function untilStale(storage: RemoteStorage, key: string, duration: number): Promise<string> {
  let token = "";
  await until(async () => {
    const [answer] = await leasesOf(storage).acquire([{ key, duration }]);
    if (answer?.outcome === "granted") token = answer.token;
    return token !== "";
  }, "the bytes become stale");
  return token;
}
