import { randomBytes } from "node:crypto";
import { asError, isError, StorageError } from "../errors.js";
import { KeyPattern } from "../storage/key-pattern.js";
import type { RemoteStorage } from "../storage/remote-storage.js";
import { isLostConnection, refusedConnection, unsupportedServer, words } from "./connect-trouble.js";

/** The parts of a storage that {@link tryCalls} needs. */
export interface Trial {
  readonly storage: RemoteStorage;
  /** The servers that the storage works with, such as `MySQL 8.0.13 or newer`. */
  readonly needs: string;
  /**
   * Returns whether an error of the trial does not count, such as one of a full server. Default:
   * each counts.
   */
  passes?(error: Error): boolean;
  /**
   * Returns a remedy, a sentence, for an error that does not come from the server's kind or
   * version. Examples are a missing permission, and a replica that takes no writes.
   */
  remedyFor?(error: Error): string | undefined;
  /** Whether a page of a scan is cheap, whatever else is stored. Default `true`. */
  readonly scans?: boolean | undefined;
  /** Whether the storage's clock is read too. Default `true`. */
  readonly readsTime?: boolean | undefined;
}

/**
 * The time, in milliseconds, after which the server removes the records of a trial that broke off.
 */
const kept = 10_000;

/** Names the next attempt, for the error's message. */
type Trying = (action: string) => void;

/**
 * The attempts. They run one after another, so that a trial takes one connection of a pool. Many
 * processes may start at once.
 */
const attempts = [tryRecord, tryLeases, tryGeneration, tryTime, tryScan] as const;

/**
 * Makes one call of each kind, under keys of its own, and removes them. A server that is too old or
 * of another kind often accepts a client and then refuses every call. For authors of storages, as
 * `StorageCallsOptions.trial`.
 *
 * @throws StorageError `CACHEME_UNSUPPORTED_SERVER` with the found server and the needed ones, or
 *   `CACHEME_CONNECT_REFUSED` with the remedy of `remedyFor`
 * @throws the client's error if the connection was lost meanwhile
 */
export async function tryCalls(trial: Trial): Promise<void> {
  const { storage } = trial;
  const base = `cacheme-trial:${randomBytes(12).toString("hex")}:`;
  const remove = (): Promise<number> =>
    storage.removeMany(["record", "lease", "tag"].map((key) => base + key));
  try {
    for (const attempt of attempts) {
      await tried(trial, (trying) => attempt(trial, base, trying));
    }
    await tried(trial, async (trying) => {
      trying("a removal");
      await remove();
    });
  } catch (error) {
    // Nobody waits for the removal: if a server hangs, waiting would cost another deadline.
    remove().catch(() => {});
    throw error;
  }
}

async function tried(trial: Trial, attempt: (trying: Trying) => Promise<void>): Promise<void> {
  let action = "a call";
  try {
    await attempt((next) => {
      action = next;
    });
  } catch (thrown) {
    const error = asError(thrown);
    const cause = isError(error.cause) ? error.cause : error;
    if (cause instanceof StorageError) throw cause;
    if (trial.passes?.(cause) === true) return;
    if (isLostConnection(cause)) throw cause;
    throw await refusalOf(action, cause, trial);
  }
}

async function refusalOf(action: string, cause: Error, trial: Trial): Promise<StorageError> {
  const { label } = trial.storage;
  const why = `${action} failed: ${words(cause)}`;
  const remedy = trial.remedyFor?.(cause);
  if (remedy !== undefined) return refusedConnection(label, why, remedy, cause);
  const found = await trial.storage.info?.().catch(() => undefined);
  return unsupportedServer(label, found?.server ?? "a server of an unknown kind", trial.needs, {
    why,
    cause,
  });
}

const bytes = Buffer.from("cacheme");

async function tryRecord({ storage }: Trial, base: string, trying: Trying): Promise<void> {
  const key = `${base}record`;
  trying("a write");
  await storage.writeMany([{ key, bytes, ttl: kept }]);
  trying("a read");
  const [found] = await storage.readMany([key]);
  expect(found !== undefined && bytes.equals(found), "it did not answer the written value");
}

/** Tries leases. A lease that stores twice would store a value that a removal was to prevent. */
async function tryLeases({ storage: { leases } }: Trial, base: string, trying: Trying): Promise<void> {
  if (leases === undefined) return;
  const [key, other] = [`${base}lease`, `${base}record`];
  trying("an acquire");
  const [lease, seen] = await leases.acquire([
    { key, duration: kept },
    { key: other, duration: kept, seen: bytes },
  ]);
  if (lease?.outcome !== "granted")
    throw new Error(`it answered ${lease?.outcome} for a key that nobody has`);
  if (seen?.outcome !== "granted")
    throw new Error(`it answered ${seen?.outcome} for bytes that the client had seen`);
  trying("a release");
  const [wasOwn] = await leases.release([{ key: other, token: seen.token }]);
  expect(wasOwn === true, "it did not know the lease that it had granted");
  trying("an extend");
  const extended = await leases.extend?.([{ key, token: lease.token, duration: kept }]);
  expect(extended?.[0] !== false, "it did not know the lease that it had granted");
  trying("a fill");
  const record = { key, bytes, ttl: kept, token: lease.token };
  expect((await leases.fill([record]))[0] === true, "it refused the lease that it had granted");
  expect((await leases.fill([record]))[0] === false, "it took one lease twice");
}

async function tryGeneration(
  { storage: { generations } }: Trial,
  base: string,
  trying: Trying,
): Promise<void> {
  if (generations === undefined) return;
  const key = `${base}tag`;
  trying("an ensure");
  const [first] = await generations.ensure([key], kept);
  trying("a bump");
  const [second] = await generations.bump([key], kept);
  expect(first?.id !== second?.id, "it answered the previous generation");
}

async function tryTime({ storage, readsTime = true }: Trial, _: string, trying: Trying): Promise<void> {
  if (!readsTime) return;
  trying("a clock reading");
  const time = await storage.time();
  expect(Number.isSafeInteger(time) && time > 0, `expected milliseconds since the epoch, got ${time}`);
}

/** Reads only the first page. */
async function tryScan({ storage, scans = true }: Trial, base: string, trying: Trying): Promise<void> {
  if (storage.scan === undefined || !scans) return;
  trying("a scan");
  for await (const _ of storage.scan(KeyPattern.startingWith(base))) break;
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
