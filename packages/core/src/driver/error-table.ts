import type { DriverErrors, DriverTrial } from "./driver.js";
import { RecordTooLarge } from "./record-limits.js";

/** The errors of a server, by its codes. */
export interface ErrorCodes {
  /** Returns the server's code for an error; `""` for an error of the connection. */
  codeOf(error: unknown): string;
  /** The advice for each code, a sentence; that of `RecordTooLarge` for records that do not fit. */
  readonly advice: Readonly<Record<string, string>>;
  /** The codes of a server that has no room. */
  readonly full: readonly string[];
  /**
   * The codes of a statement that lost a conflict with another one, and may be sent again. Default:
   * none.
   */
  readonly conflicts?: readonly string[] | undefined;
  /** The servers that the storage works with. See `DriverTrial`. */
  readonly needs: string;
  /** Properties of errors that are removed: they may hold values, or are long. Default: none. */
  readonly removed?: readonly string[] | undefined;
  /** Returns whether an error without a code has the server's own words. Default: none has. */
  isAnswer?(error: Error): boolean;
}

/** A driver's knowledge of its server's errors. */
export interface ErrorTable {
  readonly errors: DriverErrors;
  readonly trial: DriverTrial;
  /** Returns whether a statement may be sent again, because it conflicted with another one. */
  isConflict(error: unknown): boolean;
}

/**
 * Explains the errors of a server by its codes. For authors of storages.
 *
 * @example
 * ```ts
 * const { errors, trial } = errorTable({ codeOf, advice: { 53100: "Make room on the disk." }, full: ["53100"], … });
 * ```
 */
export function errorTable(codes: ErrorCodes): ErrorTable {
  const { advice, conflicts = [], removed = [] } = codes;
  const codeOf = (error: unknown): string =>
    error instanceof RecordTooLarge ? error.code : codes.codeOf(error);
  const isFull = (error: unknown): boolean => codes.full.includes(codeOf(error));
  const isConflict = (error: unknown): boolean => conflicts.includes(codeOf(error));
  const errors: DriverErrors = {
    clean(error) {
      for (const name of removed) if (name in error) Reflect.deleteProperty(error, name);
      return error;
    },
    advice(error) {
      const code = codeOf(error);
      if (code === "") return "The connection was lost meanwhile; the next call makes a new one.";
      return advice[code] ?? "The server's words say why.";
    },
    remedyFor: (error) => advice[codeOf(error)],
    isAnswer: (error) => codeOf(error) !== "" || codes.isAnswer?.(error) === true,
    isFull,
  };
  const passes = (error: Error): boolean => isFull(error) || isConflict(error);
  return { errors, trial: { needs: codes.needs, passes }, isConflict };
}
