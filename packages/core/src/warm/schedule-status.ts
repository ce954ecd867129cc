import type { WarmReport } from "./warm-report.js";

/** The state of a schedule in this process. */
export interface WarmScheduleStatus {
  readonly isRunning: boolean;
  /** The time of the next run, in milliseconds since the epoch; `undefined` if there is none. */
  readonly nextRun: number | undefined;
  /** The time when the last run of this process began; `undefined` before the first one. */
  readonly lastRun: number | undefined;
  /** The report of the last run that did not fail, with its duration and counts. */
  readonly lastReport: WarmReport | undefined;
  /** The error of the last run, or of the attempt to get its lease; `undefined` if it succeeded. */
  readonly lastError: Error | undefined;
  /** The number of runs of this process. */
  readonly runs: number;
  /** The number of times that another process ran, or the run before was still going on. */
  readonly skipped: number;
}

/** A warm-up that is repeated. */
export interface WarmSchedule {
  status(): WarmScheduleStatus;
  /** Ends the schedule, and a run under way. Settles when that run has ended. */
  stop(): Promise<void>;
}
