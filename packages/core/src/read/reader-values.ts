import { deepFreeze } from "../entry/freeze.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { LocalValues } from "../storage/local-storage.js";
import { defaultValues } from "../storages/memory.js";
import { refuseOneShot } from "../write/one-shot.js";

/**
 * What becomes of a value before its readers are answered, once for each value that was loaded or decoded: so it holds for
 * readers who wait together, for values that no tier takes, and for classes without a local tier. The nearest local tier decides;
 * without one it is the default of `memory()`. A tier that gives copies has them made for each reader: see `Landing`.
 */
export class ReaderValues {
  readonly #withoutLocalTier: LocalValues = defaultValues();

  /** @throws SerializationError for a loaded value that only one reader could use */
  loaded(runtime: ClassRuntime, key: string, value: unknown): void {
    refuseOneShot(value, runtime.name, key);
    this.decoded(runtime, value);
  }

  decoded(runtime: ClassRuntime, value: unknown): void {
    const { nearest } = runtime;
    const values = nearest === undefined ? this.#withoutLocalTier : nearest.storage.values;
    if (values === "frozen") deepFreeze(value);
  }
}
