import { types } from "node:util";

/**
 * The stable codes of every error that Cacheme makes. Compare `error.code`, not the message:
 * messages may be reworded in any release, codes are part of the public interface.
 */
export type CachemeErrorCode =
  | "CACHEME_INVALID_DURATION"
  | "CACHEME_INVALID_KEY"
  | "CACHEME_INVALID_META"
  | "CACHEME_INVALID_NODE"
  | "CACHEME_INVALID_OPTION"
  | "CACHEME_INVALID_DECORATOR"
  | "CACHEME_DUPLICATE_NODE"
  | "CACHEME_DUPLICATE_STORAGE"
  | "CACHEME_UNKNOWN_STORAGE"
  | "CACHEME_UNKNOWN_SCHEME"
  | "CACHEME_MISSING_PACKAGE"
  | "CACHEME_NOT_OFFERED"
  | "CACHEME_NOT_PROVIDED"
  | "CACHEME_PREFIX_IN_USE"
  | "CACHEME_NO_LOAD"
  | "CACHEME_LOAD_SHAPE"
  | "CACHEME_LOAD_CYCLE"
  | "CACHEME_LOAD_TIMEOUT"
  | "CACHEME_NOT_SYNCHRONOUS"
  | "CACHEME_NOT_SERIALIZABLE"
  | "CACHEME_STORAGE_FAILED"
  | "CACHEME_CONNECT_FAILED"
  | "CACHEME_CONNECT_REFUSED"
  | "CACHEME_UNSUPPORTED_SERVER"
  | "CACHEME_FOREIGN_DATA"
  | "CACHEME_INVALIDATION_INCOMPLETE"
  | "CACHEME_WRITE_INCOMPLETE"
  | "CACHEME_CLOSED";

/** What an error is about, as far as it is known where the error is made. */
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
 * The root of all errors that Cacheme makes. Errors of a user's own `load` are never wrapped: they reach
 * every reader as they were thrown.
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
  /** What the class is, whatever a bundler calls it, and in whatever copy of the package. */
  static readonly "~kind": string = "CachemeError";

  /** `instanceof` holds for errors that another copy of the package made, too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: it is the class right of `instanceof`, perhaps a derived one
    return Function.prototype[Symbol.hasInstance].call(this, value) || isOfKindOf(this, value);
  }

  readonly code: CachemeErrorCode;
  // Declared only, and set where they are known: a log of the error shows no others.
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

  /** The class's name: ours as it is written here, because minifiers rename classes. */
  override get name(): string {
    const made = this.constructor as typeof CachemeError; // Or a class that a user derived.
    return Object.hasOwn(made, "~kind") ? made["~kind"] : made.name;
  }
}

/** Whether the value's class, or one that it extends, is the given class in some copy of the package. */
function isOfKindOf(errorClass: typeof CachemeError, value: unknown): boolean {
  // A class that a user derived has no kind of its own, and is told by its prototype alone.
  if (!Object.hasOwn(errorClass, "~kind")) return false;
  try {
    let made: unknown = (value as { readonly constructor?: unknown } | null | undefined)?.constructor;
    for (; typeof made === "function"; made = Object.getPrototypeOf(made)) {
      if (Object.hasOwn(made, "~kind") && Reflect.get(made, "~kind") === errorClass["~kind"]) return true;
    }
  } catch {
    // An object that cannot be looked at is no error of ours.
  }
  return false;
}

/** A node class, a storage or an option is set up wrongly. Mend the program; trying again cannot help. */
export class ConfigurationError extends CachemeError {
  static override readonly "~kind": string = "ConfigurationError";
}

/** A node's `key()` returned something that cannot name an entry. */
export class KeyError extends CachemeError {
  static override readonly "~kind": string = "KeyError";
}

/** A load was not possible, gave the wrong shape, took too long, or came to wait for itself. */
export class LoadError extends CachemeError {
  static override readonly "~kind": string = "LoadError";
}

/** A load came to wait for its own key. {@link cycle} shows the way round. */
export class LoadCycleError extends LoadError {
  static override readonly "~kind": string = "LoadCycleError";

  /** The nodes in the order in which they wait, the first one again at the end: `["tree:a", "tree:b", "tree:a"]`. */
  readonly cycle: readonly string[];

  constructor(cycle: readonly string[], details: CachemeErrorDetails) {
    super(
      "CACHEME_LOAD_CYCLE",
      `The load of ${cycle[0]} waits for itself: ${cycle.join(" → ")}. ` +
        "Catch this error where the read is made and take another way, or cut the cycle in the nodes' load functions.",
      details,
    );
    this.cycle = cycle;
  }
}

/** A value cannot be written by the node's serializer, or bytes cannot be read back. */
export class SerializationError extends CachemeError {
  static override readonly "~kind": string = "SerializationError";

  /** Where in the value the trouble is, such as `$.orders[3].total`. */
  readonly path: string;

  constructor(message: string, path: string, details: CachemeErrorDetails = {}) {
    super("CACHEME_NOT_SERIALIZABLE", message, details);
    this.path = path;
  }
}

/** A storage could not be reached, answered wrongly or too late. */
export class StorageError extends CachemeError {
  static override readonly "~kind": string = "StorageError";
}

/**
 * A part of a batch of writes or removals failed. What concerns {@link keys} is not known to be done; every other key of
 * the batch is done.
 */
export class BatchError extends StorageError {
  static override readonly "~kind": string = "BatchError";

  /** The keys in the storage, as the batch named them. */
  readonly keys: ReadonlySet<string>;

  constructor(message: string, keys: ReadonlySet<string>, details: CachemeErrorDetails = {}) {
    super("CACHEME_STORAGE_FAILED", message, details);
    this.keys = keys;
  }
}

/**
 * An invalidation or a write did not reach every tier. What it did reach is done; {@link storages} names the rest.
 */
export class IncompleteError extends CachemeError {
  static override readonly "~kind": string = "IncompleteError";

  /** The names of the storages that were not reached. */
  readonly storages: readonly string[];

  constructor(
    code: "CACHEME_INVALIDATION_INCOMPLETE" | "CACHEME_WRITE_INCOMPLETE",
    message: string,
    storages: readonly string[],
    details: CachemeErrorDetails,
  ) {
    super(code, message, details);
    this.storages = storages;
  }
}

/**
 * Whether it is an error, of this realm or of another one. Never throws: looking at a revoked proxy does. For authors of storages:
 * under Jest, and in Vitest's pools of contexts, the errors of Node's own modules are of another realm than the program.
 */
export function isError(thrown: unknown): thrown is Error {
  try {
    // biome-ignore lint/plugin: what is no native error may be an instance of a class all the same
    return thrown instanceof Error || types.isNativeError(thrown);
  } catch {
    return false;
  }
}

/** Whether it is an error of several errors, as a name with several addresses gives, of this realm or of another one. */
export function isAggregate(thrown: unknown): thrown is AggregateError {
  return isError(thrown) && "errors" in thrown && Array.isArray(thrown.errors);
}

/** What a thrown thing says, whatever it is. Never throws: an object without a prototype has no text, for instance. */
export function reasonOf(thrown: unknown): string {
  try {
    return String(isError(thrown) ? thrown.message : thrown);
  } catch {
    return "what was thrown has no text.";
  }
}

/** What came where something else was expected, such as `a number` or `an object`. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** What was thrown where an error must be handed on. */
export function asError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(reasonOf(thrown), { cause: thrown });
}

/** What every call after `close()` is answered with. */
export function closedError(what: string): CachemeError {
  return new CachemeError(
    "CACHEME_CLOSED",
    `${what} after close(). Close at the program's end only, or make a new Cacheme.`,
  );
}

/** What every call to a storage after its `close()` is answered with. */
export function closedStorage(label: string): StorageError {
  return new StorageError("CACHEME_CLOSED", `The storage ${label} is closed. Make a new one to go on.`);
}

/** The text with a full stop at its end, so that another sentence may follow. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
