import { deepFreeze } from "../entry/freeze.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { LocalValues } from "../storage/local-storage.js";
import { defaultValues } from "../storages/memory-storage.js";
import { refuseOneShot } from "../write/one-shot.js";

/**
 * Prepares a value before its readers are answered, once for each loaded or decoded value. So it
 * applies to readers that wait together, values that no tier takes, and classes without a local
 * tier. The nearest local tier decides the form; without one it is the default of `memory()`. If a
 * tier gives copies, `Landing` makes one for each reader.
 */
export class ReaderValues {
  readonly #withoutLocalTier: LocalValues = defaultValues();

  /** @throws SerializationError for a loaded value that only one reader could use */
  loaded(runtime: ClassRuntime, key: string, value: unknown): void {
    refuseOneShot(value, runtime.name, key);
    if (this.areFrozen(runtime)) deepFreeze(value);
  }

  /** Returns whether the class's readers get values that are frozen deeply. */
  areFrozen({ nearest }: ClassRuntime): boolean {
    return (nearest === undefined ? this.#withoutLocalTier : nearest.storage.values) === "frozen";
  }
}
