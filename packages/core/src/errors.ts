import { types } from "node:util";

/**
 * The stable codes of every error that Cacheme makes. Compare `error.code`, not the message. Any
 * release may reword a message, but codes are part of the public interface.
 */
export type CachemeErrorCode =
  | "CACHEME_INVALID_DURATION"
  | "CACHEME_INVALID_KEY"
  | "CACHEME_INVALID_META"
  | "CACHEME_POLICY_FAILED"
  | "CACHEME_INVALID_NODE"
  | "CACHEME_INVALID_OPTION"
  | "CACHEME_INVALID_DECORATOR"
  | "CACHEME_DUPLICATE_NODE"
  | "CACHEME_DUPLICATE_BUS"
  | "CACHEME_DUPLICATE_JOURNAL"
  | "CACHEME_DUPLICATE_STORAGE"
  | "CACHEME_UNKNOWN_JOURNAL"
  | "CACHEME_UNKNOWN_STORAGE"
  | "CACHEME_UNKNOWN_SCHEME"
  | "CACHEME_MISSING_PACKAGE"
  | "CACHEME_NOT_OFFERED"
  | "CACHEME_NOT_IDLE"
  | "CACHEME_NOT_PROVIDED"
  | "CACHEME_PREFIX_IN_USE"
  | "CACHEME_INVALID_TAG"
  | "CACHEME_TOO_MANY_TAGS"
  | "CACHEME_INVALID_SCOPE"
  | "CACHEME_MISSING_SCOPE"
  | "CACHEME_DEPENDENCY_CYCLE"
  | "CACHEME_TOO_MANY_DEPENDENCIES"
  | "CACHEME_NO_LOAD"
  | "CACHEME_LOAD_SHAPE"
  | "CACHEME_NO_PREVIOUS"
  | "CACHEME_LOAD_CYCLE"
  | "CACHEME_LOAD_TIMEOUT"
  | "CACHEME_NO_SAVE"
  | "CACHEME_SAVE_SHAPE"
  | "CACHEME_SAVE_CYCLE"
  | "CACHEME_SAVE_TIMEOUT"
  | "CACHEME_SET_BEHIND"
  | "CACHEME_JOURNAL_FULL"
  | "CACHEME_JOURNAL_FAILED"
  | "CACHEME_NOT_SYNCHRONOUS"
  | "CACHEME_NOT_SERIALIZABLE"
  | "CACHEME_STORAGE_FAILED"
  | "CACHEME_BREAKER_OPEN"
  | "CACHEME_CONNECT_FAILED"
  | "CACHEME_CONNECT_REFUSED"
  | "CACHEME_UNSUPPORTED_SERVER"
  | "CACHEME_FOREIGN_DATA"
  | "CACHEME_INVALIDATION_INCOMPLETE"
  | "CACHEME_WRITE_INCOMPLETE"
  | "CACHEME_CLOSED";

/** The fields of an error: the ones that are known where the error is made. */
export interface CachemeErrorDetails {
  /** The name of the node class. */
  readonly node?: string | undefined;
  /** The node's own key, as `key()` returned it. */
  readonly key?: string | undefined;
  /** The registered name of the storage. */
  readonly storage?: string | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/**
 * The root of all errors that Cacheme makes. Errors of a user's own `load` are never wrapped: each
 * reader gets them as they were thrown.
 *
 * @example
 * ```ts
 * try {
 *   await get(new UserNode(1));
 * } catch (error) {
 *   if (error instanceof CachemeError && error.code === "CACHEME_UNKNOWN_STORAGE") process.exit(1);
 *   throw error;
 * }
 * ```
 */
export class CachemeError extends Error {
  /** The name of the class in any copy of the package, even if a bundler renames the class. */
  static readonly "~kind": string = "CachemeError";

  /** Makes `instanceof` hold also for errors of another copy of the package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: it is the class right of `instanceof`, perhaps a derived one
    return Function.prototype[Symbol.hasInstance].call(this, value) || isOfKindOf(this, value);
  }

  readonly code: CachemeErrorCode;
  // Only declared, and set if they are known, so that a log of the error shows no undefined fields.
  declare readonly node: string | undefined;
  declare readonly key: string | undefined;
  declare readonly storage: string | undefined;

  constructor(code: CachemeErrorCode, message: string, details: CachemeErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.node !== undefined) this.node = details.node;
    if (details.key !== undefined) this.key = details.key;
    if (details.storage !== undefined) this.storage = details.storage;
  }

  /** The class's name, as written in the sources, because minifiers rename classes. */
  override get name(): string {
    const made = this.constructor as typeof CachemeError; // Or a class that a user derived.
    return Object.hasOwn(made, "~kind") ? made["~kind"] : made.name;
  }
}

/**
 * Returns whether the value's class, or one that it extends, is the given class in some copy of the
 * package.
 */
function isOfKindOf(errorClass: typeof CachemeError, value: unknown): boolean {
  // A class that a user derived has no kind of its own, so only its prototype identifies it.
  if (!Object.hasOwn(errorClass, "~kind")) return false;
  try {
    let made: unknown = (value as { readonly constructor?: unknown } | null | undefined)?.constructor;
    for (; typeof made === "function"; made = Object.getPrototypeOf(made)) {
      if (Object.hasOwn(made, "~kind") && Reflect.get(made, "~kind") === errorClass["~kind"]) return true;
    }
  } catch {
    // An object that throws here is not an error of ours.
  }
  return false;
}

/**
 * The set-up of a node class, a storage or an option is wrong. Fix the program; a retry cannot
 * help.
 */
export class ConfigurationError extends CachemeError {
  static override readonly "~kind": string = "ConfigurationError";
}

/** The `key()` of a node returned a value that cannot name an entry. */
export class KeyError extends CachemeError {
  static override readonly "~kind": string = "KeyError";
}

/** A load was not possible, returned the wrong shape, took too long, or waited for itself. */
export class LoadError extends CachemeError {
  static override readonly "~kind": string = "LoadError";
}

/** A value could not be saved: its class cannot write, its source took too long or saves it again. */
export class SaveError extends CachemeError {
  static override readonly "~kind": string = "SaveError";
}

/** A load waited for its own key. {@link cycle} shows the nodes on the way. */
export class LoadCycleError extends LoadError {
  static override readonly "~kind": string = "LoadCycleError";

  /**
   * The nodes in the order in which they wait. The first one is repeated at the end:
   * `["tree:a", "tree:b", "tree:a"]`.
   */
  readonly cycle: readonly string[];

  constructor(cycle: readonly string[], details: CachemeErrorDetails) {
    super(
      "CACHEME_LOAD_CYCLE",
      `The load of ${cycle[0]} waits for itself: ${cycle.join(" → ")}. ` +
        "Catch this error at the read and take another way, or cut the cycle in the nodes' load functions.",
      details,
    );
    this.cycle = cycle;
  }
}

/** The node's serializer cannot write a value, or cannot read bytes back. */
export class SerializationError extends CachemeError {
  static override readonly "~kind": string = "SerializationError";

  /** The place in the value, such as `$.orders[3].total`. */
  readonly path: string;

  constructor(message: string, path: string, details: CachemeErrorDetails = {}) {
    super("CACHEME_NOT_SERIALIZABLE", message, details);
    this.path = path;
  }
}

/** The fields of a {@link StorageError}. */
export interface StorageErrorDetails extends CachemeErrorDetails {
  /** Whether no answer came before the deadline. */
  readonly isLate?: boolean | undefined;
}

/** A storage could not be reached, or its answer was wrong or too late. */
export class StorageError extends CachemeError {
  static override readonly "~kind": string = "StorageError";

  /** Whether no answer came before the deadline. The call may still be carried out. */
  declare readonly isLate: true | undefined;

  constructor(code: CachemeErrorCode, message: string, details: StorageErrorDetails = {}) {
    super(code, message, details);
    if (details.isLate === true) this.isLate = true;
  }
}

/**
 * A part of a batch of writes or removals failed. It is unknown whether {@link keys} were changed;
 * every other key of the batch was.
 */
export class BatchError extends StorageError {
  static override readonly "~kind": string = "BatchError";

  /** The keys in the storage, as in the batch. */
  readonly keys: ReadonlySet<string>;

  constructor(message: string, keys: ReadonlySet<string>, details: CachemeErrorDetails = {}) {
    super("CACHEME_STORAGE_FAILED", message, details);
    this.keys = keys;
  }
}

/**
 * An invalidation or a write did not reach every tier. It is done in the tiers that it reached;
 * {@link storages} names the others.
 */
export class IncompleteError extends CachemeError {
  static override readonly "~kind": string = "IncompleteError";

  /** The names of the storages that were not reached. */
  readonly storages: readonly string[];
  /**
   * Resolves when no storage has the removed or replaced value any more: Cacheme repeats the
   * removal until each storage is reached. Rejects with `CACHEME_CLOSED` if the space was closed
   * before. If you do not use it, a rejection is not reported.
   */
  declare readonly settled: Promise<void>;

  constructor(
    code: "CACHEME_INVALIDATION_INCOMPLETE" | "CACHEME_WRITE_INCOMPLETE",
    message: string,
    storages: readonly string[],
    details: CachemeErrorDetails,
    settled: Promise<unknown> = Promise.resolve(),
  ) {
    super(code, message, details);
    this.storages = storages;
    const whole = settled.then(() => {});
    whole.catch(() => {});
    // Hidden, because a log of the error has no use for it.
    Object.defineProperty(this, "settled", { value: whole, enumerable: false });
  }
}

/**
 * Returns whether the value is an error, of this realm or of another one. Never throws, although
 * reading a revoked proxy does. For authors of storages. Under Jest, and in Vitest's pools of
 * contexts, errors of Node's own modules are of another realm.
 */
export function isError(thrown: unknown): thrown is Error {
  try {
    // biome-ignore lint/plugin: a value that is not a native error may still be an instance of a class
    return thrown instanceof Error || types.isNativeError(thrown);
  } catch {
    return false;
  }
}

/**
 * Returns whether the value is an error of several errors, of this realm or of another one. A host
 * name with several addresses causes such an error.
 */
export function isAggregate(thrown: unknown): thrown is AggregateError {
  return isError(thrown) && "errors" in thrown && Array.isArray(thrown.errors);
}

/**
 * Returns the message of a thrown value of any kind. Never throws, although an object without a
 * prototype has no string form, for instance.
 */
export function reasonOf(thrown: unknown): string {
  try {
    return String(isError(thrown) ? thrown.message : thrown);
  } catch {
    return "the thrown value has no string form.";
  }
}

/** Returns the type of an unexpected value for messages, such as `a number` or `an object`. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Returns the thrown value as an error. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(reasonOf(thrown), { cause: thrown });
}

/** Returns the error of each call after `close()`. */
export function closedError(what: string): CachemeError {
  return new CachemeError(
    "CACHEME_CLOSED",
    `${what} after close(). Close at the program's end only, or make a new Cacheme.`,
  );
}

/** Returns the error of each call to a storage after its `close()`. */
export function closedStorage(label: string): StorageError {
  return new StorageError("CACHEME_CLOSED", `The storage ${label} is closed. Make a new one to go on.`);
}

/** Returns the text with a full stop at its end, so that another sentence may follow. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
