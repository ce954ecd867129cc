import { ConfigurationError } from "../errors.js";
import type { ClassRuntime } from "./class-runtime.js";

/** A value that is saved, and not in its source yet. */
export interface UnsavedValue {
  readonly value: unknown;
  /** The time when it was saved, on our clock. */
  readonly writtenAt: number;
}

/** The values of a class that are saved, and not in their source yet. */
export interface UnsavedValues {
  /** The name of the journal that holds them. */
  readonly journal: string;
  /**
   * Looks a key up. Must not throw.
   *
   * @param done called with the newest unsaved value, or `undefined` if there is none; with
   *   `trouble` if the journal could not be reached
   */
  find(
    runtime: ClassRuntime,
    key: string,
    done: (found: UnsavedValue | undefined, trouble: Error | undefined) => void,
  ): void;
}

/** Stands for the journals of a space that has none. */
export function noUnsavedValues(journal: string, node: string): UnsavedValues {
  throw new ConfigurationError(
    "CACHEME_UNKNOWN_JOURNAL",
    `Node "${node}" uses the journal "${journal}", which is not registered.`,
    { node },
  );
}
