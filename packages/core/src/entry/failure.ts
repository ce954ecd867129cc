import { CachedError, type ErrorForm } from "../cached-error.js";
import { asError } from "../errors.js";

/** The most characters of an error's message that an entry keeps. */
const longestMessage = 2_000;

const longestName = 100;

/**
 * A failed load in the place of a value: the closed form of an error. A tier stores it like a value,
 * and each reader of the entry is rejected.
 */
export class Failure implements ErrorForm {
  /** Marks the instances. Unlike `instanceof`, it runs no code of a foreign object. */
  readonly #isFailure = true;
  readonly name: string;
  readonly message: string;
  readonly code: string | number | undefined;

  constructor({ name, message, code }: ErrorForm) {
    this.name = name;
    this.message = message;
    this.code = code;
  }

  /** Returns whether a value is a failure. Never throws. */
  static is(value: unknown): value is Failure {
    return typeof value === "object" && value !== null && #isFailure in value;
  }

  /** Takes the form of anything that a load has thrown. Never throws. */
  static of(thrown: unknown): Failure {
    const error = asError(thrown);
    return new Failure({
      name: textIn(error, "name", longestName) ?? "Error",
      message: textIn(error, "message", longestMessage) ?? "",
      code: codeIn(error),
    });
  }

  /** @throws an error if the text is not a failure */
  static parse(text: string): Failure {
    const form: unknown = JSON.parse(text);
    if (typeof form !== "object" || form === null) throw new TypeError("Expected a stored error.");
    const { name, message, code } = form as Partial<Record<keyof ErrorForm, unknown>>;
    if (typeof name !== "string" || typeof message !== "string" || (code !== undefined && !isCode(code)))
      throw new TypeError("Expected a stored error.");
    return new Failure({ name, message, code });
  }

  toText(): string {
    const { name, message, code } = this;
    return JSON.stringify({ name, message, code });
  }

  /** @param cause the load's own error, if this process has it */
  toError(failedAt: number, cause?: unknown): CachedError {
    return new CachedError(this, failedAt, cause);
  }
}

function textIn(error: Error, field: "name" | "message", longest: number): string | undefined {
  const text = read(error, field);
  return typeof text === "string" ? text.slice(0, longest) : undefined;
}

function codeIn(error: Error): string | number | undefined {
  const code = read(error, "code");
  if (!isCode(code)) return undefined;
  return typeof code === "string" ? code.slice(0, longestName) : code;
}

function isCode(code: unknown): code is string | number {
  return typeof code === "string" || (typeof code === "number" && Number.isFinite(code));
}

/** Reads a field of a foreign error, which may be a getter that throws. */
function read(error: Error, field: string): unknown {
  try {
    return Reflect.get(error, field);
  } catch {
    return undefined;
  }
}
