import { ConfigurationError, reasonOf } from "../errors.js";
import { importPeer } from "../import-installed.js";
import type { StorageName } from "../node/register.js";
import { optionError, shown } from "../option-checks.js";
import type { Registered } from "../tiers/registered.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import { checkedWarmOptions, type WarmOptions } from "./warm-options.js";

/** Returns the time of the first run after a time, if there is one. */
export type NextRun = (after: number) => number | undefined;

/** The options of `warmOnSchedule`, and those of each run. */
export interface WarmScheduleOptions extends Omit<WarmOptions, "signal" | "progressBar" | "total"> {
  /** The name of the schedule, the same in each process and unlike that of any other schedule. */
  readonly name?: string | undefined;
  /**
   * The name of the remote storage whose lease decides which process of a cluster runs. It needs a
   * {@link name}. Default: each process runs.
   */
  readonly storage?: StorageName | undefined;
  /** The time zone of the pattern, such as `"Europe/Berlin"`. Default: the process's. */
  readonly timezone?: string | undefined;
  /** Called with the error of a run. Default: only the status has it. */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** The characters of a schedule's name, which is a part of a storage key. */
const namePattern = /^[^\p{Cc}\p{Cs}\s:]{1,60}$/u;

/**
 * Checks the options, and returns those of each run.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function checkedSchedule(options: WarmScheduleOptions): WarmOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw optionError(`warmOnSchedule() expected an object as its options, got ${shown(options)}.`);
  const { name, storage, timezone, onError, ...run } = options;
  if (name !== undefined && !(typeof name === "string" && namePattern.test(name)))
    throw optionError(
      `warmOnSchedule() expected a name of 1 to 60 characters without white space and colon, got ${shown(name)}.`,
    );
  if (storage !== undefined && name === undefined)
    throw optionError("warmOnSchedule() expected a name with its storage, which tells the schedules apart.");
  if (timezone !== undefined) checkTimezone(timezone);
  if (onError !== undefined && typeof onError !== "function")
    throw optionError(`warmOnSchedule() expected a function as onError, got ${shown(onError)}.`);
  checkedWarmOptions(run);
  return run;
}

function checkTimezone(timezone: unknown): void {
  let cause: unknown;
  try {
    if (typeof timezone === "string" && new Intl.DateTimeFormat("en", { timeZone: timezone })) return;
  } catch (thrown) {
    cause = thrown;
  }
  throw optionError(
    `warmOnSchedule() expected the name of a time zone, such as "Europe/Berlin", got ${shown(timezone)}.`,
    cause,
  );
}

/**
 * Returns the storage of the lease.
 *
 * @throws ConfigurationError `CACHEME_NOT_OFFERED` for a storage without leases
 */
export function leasingStorage(registered: Registered): RemoteBatch {
  if (registered.kind === "remote" && registered.leases.isSupported) return registered;
  throw new ConfigurationError(
    "CACHEME_NOT_OFFERED",
    `warmOnSchedule() expected a remote storage with leases, got "${registered.name}". Name another one, or leave storage out.`,
    { storage: registered.name },
  );
}

/**
 * Reads a cron pattern. Loads the package croner.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid pattern, or one that never
 *   matches after the given time,
 *   `CACHEME_MISSING_PACKAGE` without the package
 */
export async function nextRunOf(
  pattern: string,
  timezone: string | undefined,
  now: number,
): Promise<NextRun> {
  if (typeof pattern !== "string")
    throw optionError(
      `warmOnSchedule() expected a cron pattern such as "*/5 * * * *", got ${shown(pattern)}.`,
    );
  const { Cron } = await croner();
  let nextRun: NextRun;
  let first: number | undefined;
  try {
    const cron = new Cron(pattern, { paused: true, ...(timezone !== undefined && { timezone }) });
    nextRun = (after) => cron.nextRun(new Date(after))?.getTime();
    first = nextRun(now);
  } catch (thrown) {
    throw optionError(
      `warmOnSchedule() expected a cron pattern such as "*/5 * * * *", got ${shown(pattern)}: ${reasonOf(thrown)}`,
      thrown,
    );
  }
  if (first !== undefined) return nextRun;
  throw optionError(
    `warmOnSchedule() expected a cron pattern that matches some time from now on, got ${shown(pattern)}, which never does.`,
  );
}

async function croner(): Promise<typeof import("croner")> {
  return (await importPeer("croner", "warmOnSchedule()")) as typeof import("croner"); // The peer has this form.
}
