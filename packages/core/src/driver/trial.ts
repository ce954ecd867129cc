import { randomBytes } from "node:crypto";
import { asError, isError, StorageError } from "../errors.js";
import { KeyPattern } from "../storage/key-pattern.js";
import type { RemoteStorage } from "../storage/remote-storage.js";
import { refusedConnection, unsupportedServer, words } from "./connect-trouble.js";

/** What {@link tryCalls} must know of a storage. */
export interface Trial {
  readonly storage: RemoteStorage;
  /** The servers that the storage works with, such as `MySQL 8.0.13 or newer`. */
  readonly needs: string;
  /** Whether an error of the trial does not count: the server is full at the moment, say. Default: each counts. */
  passes?(error: Error): boolean;
  /**
   * What to do, a sentence, about an error that is not the server's kind or version: a missing permission, a replica that
   * takes no writes.
   */
  remedyFor?(error: Error): string | undefined;
  /** Whether a page of a scan costs little whatever else is stored. Default `true`. */
  readonly scans?: boolean | undefined;
  /** Whether the storage's clock is read too. Default `true`. */
  readonly readsTime?: boolean | undefined;
}

/** Milliseconds after which the server removes what a trial that broke off has left. */
const kept = 10_000;

/** Says what is tried next, for the error's message. */
type Trying = (action: string) => void;

/** One after another, so that a trial takes one connection of a pool: many processes may start at once. */
const attempts = [tryRecord, tryLeases, tryGeneration, tryTime, tryScan] as const;

/**
 * Makes one call of each kind, under keys of its own, and removes them: a server that is too old or of another kind often
 * lets a client in and then refuses every call. For authors of storages, as `StorageCallsOptions.trial`.
 *
 * @throws StorageError `CACHEME_UNSUPPORTED_SERVER` with what is there and what is needed, or `CACHEME_CONNECT_REFUSED`
 *   with the remedy that `remedyFor` knows
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
    // Nobody waits for it: where a server hangs it would cost another deadline.
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
    if (trial.passes?.(cause) !== true) throw await refusalOf(action, cause, trial);
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
  expect(found !== undefined && bytes.equals(found), "it did not answer what was written");
}

/** A lease that stores twice would store what a removal was to prevent. */
async function tryLeases({ storage: { leases } }: Trial, base: string, trying: Trying): Promise<void> {
  if (leases === undefined) return;
  const [key, other] = [`${base}lease`, `${base}record`];
  trying("an acquire");
  const [lease, stolen] = await leases.acquire([
    { key, duration: kept },
    { key: other, duration: kept, steal: true },
  ]);
  if (lease?.outcome !== "granted")
    throw new Error(`it answered ${lease?.outcome} for a key that nobody has`);
  trying("a release");
  if (stolen?.outcome === "granted") await leases.release([{ key: other, token: stolen.token }]);
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
  expect(first?.id !== second?.id, "it answered the generation of before");
}

async function tryTime({ storage, readsTime = true }: Trial, _: string, trying: Trying): Promise<void> {
  if (!readsTime) return;
  trying("a clock reading");
  const time = await storage.time();
  expect(Number.isSafeInteger(time) && time > 0, `expected milliseconds since the epoch, got ${time}`);
}

/** The first page only. */
async function tryScan({ storage, scans = true }: Trial, base: string, trying: Trying): Promise<void> {
  if (storage.scan === undefined || !scans) return;
  trying("a scan");
  for await (const _ of storage.scan(KeyPattern.startingWith(base))) break;
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
