import assert from "node:assert/strict";
import type {
  HeldLease,
  LeaseAnswer,
  LeaseExtension,
  LeaseRequest,
  Leases,
  RemoteStorage,
} from "cacheme/driver";
import { record, until } from "../expect.js";
import type { Trial } from "../subject.js";

export const minute = 60_000;

export function leasesOf(storage: RemoteStorage | undefined): Leases {
  assert.ok(storage?.leases !== undefined, "the storage has no leases");
  return storage.leases;
}

export async function acquire(
  storage: RemoteStorage | undefined,
  key: string,
  options: Partial<LeaseRequest> = {},
): Promise<LeaseAnswer> {
  const [answer] = await leasesOf(storage).acquire([{ key, duration: minute, ...options }]);
  assert.ok(answer !== undefined, "expected an answer of acquire for each key");
  return answer;
}

export async function granted(
  storage: RemoteStorage | undefined,
  key: string,
  options: Partial<LeaseRequest> = {},
): Promise<string> {
  return tokenOf(await acquire(storage, key, options));
}

/** Acquires leases that are all granted. */
export async function grantedAll(
  storage: RemoteStorage,
  requests: readonly LeaseRequest[],
): Promise<HeldLease[]> {
  const answers = await leasesOf(storage).acquire(requests);
  return requests.map(({ key }, index) => ({ key, token: tokenOf(answers[index]) }));
}

/** The keys of {@link fates}, named after what happened to their leases. */
export const fateNames = ["kept", "removed", "written", "stolen", "filled", "released"] as const;

/** Acquires a lease of a minute for each name, and ends all but the kept one. */
export async function fates({ storage, key }: Pick<Trial, "storage" | "key">): Promise<{
  readonly held: readonly HeldLease[];
  readonly thief: string;
}> {
  const held = await grantedAll(
    storage,
    fateNames.map((name) => ({ key: key(name), duration: minute })),
  );
  const tokens = new Map(held.map((lease) => [lease.key, lease.token]));
  await storage.removeMany([key("removed")]);
  await storage.writeMany([record(key("written"), "W")]);
  const thief = await granted(storage, key("stolen"), { steal: true });
  await fill(storage, key("filled"), tokens.get(key("filled")) ?? "", "F");
  await release(storage, key("released"), tokens.get(key("released")) ?? "");
  return { held, thief };
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

export async function release(storage: RemoteStorage, key: string, token: string): Promise<boolean> {
  const [wasOwn] = await leasesOf(storage).release([{ key, token }]);
  assert.ok(wasOwn !== undefined, "expected an answer of release for each key");
  return wasOwn;
}

export async function extend(
  storage: RemoteStorage,
  leases: readonly LeaseExtension[],
): Promise<readonly boolean[]> {
  const extended = await leasesOf(storage).extend?.(leases);
  assert.ok(extended !== undefined, "the storage cannot extend leases");
  assert.equal(extended.length, leases.length, "expected an answer of extend for each key");
  return extended;
}

/** Stores bytes that are stale when this resolves, are kept for a minute and have no lease. */
export async function stale(storage: RemoteStorage, key: string, value: string): Promise<void> {
  await storage.writeMany([{ ...record(key, value), freshFor: 1 }]);
  const token = await untilStale(storage, key, minute);
  assert.equal(await release(storage, key, token), true);
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
