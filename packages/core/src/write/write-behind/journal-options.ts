import type { Duration } from "../../duration.js";
import { ConfigurationError } from "../../errors.js";
import type { Journal } from "../../journal/journal.js";
import type { NodeClass } from "../../node/node.js";
import { optionError, refuseUnknownOptions, shown, timerMilliseconds } from "../../option-checks.js";

/** The options of `registerJournal`. */
export interface RegisterJournalOptions {
  /**
   * The classes that write behind into the journal. List them, so that values which an earlier
   * process has left are written before the first use of their class. Default: each class that is
   * used.
   */
  readonly nodes?: readonly NodeClass[] | undefined;
  /**
   * The time that a saved value waits for newer ones of its key, and for others to share a
   * `saveAll`. Default: 1 second.
   */
  readonly delay?: Duration | undefined;
  /** The most values that are written at a time. Default: 200. */
  readonly batchSize?: number | undefined;
  /** The most values in the journal, about. Default: 100,000. */
  readonly maxSize?: number | undefined;
  /**
   * The answer to a `save` while the journal is full: it waits until there is room, or rejects with
   * `CACHEME_JOURNAL_FULL`. Default: `"wait"`.
   */
  readonly whenFull?: "wait" | "reject" | undefined;
  /**
   * The pause before the second attempt to write a value. Each further pause is twice as long, up to
   * `maxRetryDelay`. Default: 1 second.
   */
  readonly retryDelay?: Duration | undefined;
  /** The longest pause between two attempts. Default: 1 minute. */
  readonly maxRetryDelay?: Duration | undefined;
  /** The attempts after which a value is set aside as a dead letter. Default: 15. */
  readonly maxAttempts?: number | undefined;
  /**
   * Returns whether an error of the source will recur for ever, so that the value is set aside at
   * once. Default: no error will.
   */
  readonly isPoison?: ((error: unknown) => boolean) | undefined;
  /**
   * The time after which other processes take over what a dead process was writing. A running write
   * extends it. Default: 30 seconds.
   */
  readonly lease?: Duration | undefined;
  /** The pause between two looks for values that other processes have left. Default: 5 seconds. */
  readonly pollInterval?: Duration | undefined;
  /** The longest time of a call to the journal. Default: 5 seconds. */
  readonly deadline?: Duration | undefined;
  /** The longest time that `close` writes what is left. Default: 10 seconds. */
  readonly drainTimeout?: Duration | undefined;
}

/** The same, checked and with its defaults. Durations are milliseconds. */
export interface JournalSettings {
  readonly nodes: readonly NodeClass[];
  readonly delay: number;
  readonly batchSize: number;
  readonly maxSize: number;
  readonly whenFull: "wait" | "reject";
  readonly retryDelay: number;
  readonly maxRetryDelay: number;
  readonly maxAttempts: number;
  readonly isPoison: (error: unknown) => boolean;
  readonly lease: number;
  readonly pollInterval: number;
  readonly deadline: number;
  readonly drainTimeout: number;
}

const known: readonly (keyof RegisterJournalOptions)[] = [
  "nodes",
  "delay",
  "batchSize",
  "maxSize",
  "whenFull",
  "retryDelay",
  "maxRetryDelay",
  "maxAttempts",
  "isPoison",
  "lease",
  "pollInterval",
  "deadline",
  "drainTimeout",
];

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function journalSettings(name: string, options: RegisterJournalOptions): JournalSettings {
  const where = `registerJournal(${shown(name)}, …)`;
  refuseUnknownOptions(options, known, where);
  const time = (option: keyof RegisterJournalOptions, given: Duration | undefined, byDefault: Duration) =>
    timerMilliseconds(given ?? byDefault, `option ${option} of ${where}`);
  const { nodes = [], whenFull = "wait", isPoison = () => false } = options;
  if (!Array.isArray(nodes)) throw invalid(where, "nodes", nodes, "a list of node classes");
  for (const each of nodes as readonly unknown[]) checkNode(where, each);
  if (whenFull !== "wait" && whenFull !== "reject")
    throw invalid(where, "whenFull", whenFull, '"wait" or "reject"');
  if (typeof isPoison !== "function") throw invalid(where, "isPoison", isPoison, "a function of the error");
  const retryDelay = time("retryDelay", options.retryDelay, "1s");
  return {
    nodes,
    whenFull,
    isPoison,
    retryDelay,
    delay: time("delay", options.delay, "1s"),
    batchSize: count(where, "batchSize", options.batchSize, 200),
    maxSize: count(where, "maxSize", options.maxSize, 100_000),
    maxRetryDelay: Math.max(retryDelay, time("maxRetryDelay", options.maxRetryDelay, "1m")),
    maxAttempts: count(where, "maxAttempts", options.maxAttempts, 15),
    lease: time("lease", options.lease, "30s"),
    pollInterval: time("pollInterval", options.pollInterval, "5s"),
    deadline: time("deadline", options.deadline, "5s"),
    drainTimeout: time("drainTimeout", options.drainTimeout, "10s"),
  };
}

const methods: readonly (keyof Journal)[] = [
  "connect",
  "append",
  "claim",
  "extend",
  "complete",
  "fail",
  "read",
  "counts",
  "deadLetters",
  "requeue",
  "drop",
  "close",
];

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` unless it is a name and a journal */
export function checkJournal(name: unknown, journal: Journal): void {
  if (typeof name !== "string" || name === "") {
    throw new ConfigurationError(
      "CACHEME_INVALID_OPTION",
      `registerJournal expected a name, got ${shown(name)}. Give a string that is not empty, such as "writes".`,
    );
  }
  const given: unknown = journal;
  const isJournal =
    typeof given === "object" &&
    given !== null &&
    methods.every((method) => typeof Reflect.get(given, method) === "function");
  if (isJournal) return;
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `registerJournal(${shown(name)}, …) expected a journal, got ${shown(given)}. Give what memoryJournal() returns, or the function of ` +
      "a storage package, such as sqliteJournal(path).",
  );
}

function checkNode(where: string, given: unknown): void {
  const nodeClass = given as Partial<NodeClass> | null | undefined;
  if (typeof given !== "function" || typeof nodeClass?.prototype?.key !== "function")
    throw optionError(
      `The option nodes of ${where} has ${named(given)}. Give node classes, not nodes or names.`,
    );
  if (nodeClass.meta?.write === "behind") return;
  throw optionError(
    `The option nodes of ${where} has the class ${named(given)}, which does not write behind. ` +
      'Give it write: "behind" and a journal, or take it out of the list.',
  );
}

/** Returns a value as messages show it, and a function by its name. */
function named(value: unknown): string {
  return typeof value === "function" ? shown(value.name) : shown(value);
}

function count(where: string, option: string, given: number | undefined, byDefault: number): number {
  if (given === undefined) return byDefault;
  if (!Number.isInteger(given) || given < 1) throw invalid(where, option, given, "a whole number from 1 on");
  return given;
}

function invalid(where: string, option: string, got: unknown, expected: string): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `The option ${option} of ${where} is ${shown(got)}. Give ${expected}.`,
  );
}
