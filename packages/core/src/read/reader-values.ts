import { deepFreeze } from "../freeze.js";
import type { Plan } from "../plan/plan.js";
import type { LocalValues } from "../storage/local-storage.js";
import { defaultValues } from "../storage/memory.js";
import { refuseOneShot } from "../write/one-shot.js";

/**
 * What becomes of a value before its readers are answered, once for each value that was loaded or decoded: so it holds for
 * readers who wait together, for values that no tier takes, and for classes without a local tier. The nearest local tier decides;
 * without one it is the default of `memory()`. (Copies for each reader are the flight's affair.)
 */
export class ReaderValues {
  readonly #withoutLocalTier: LocalValues = defaultValues();

  /** @throws SerializationError for a loaded value that only one reader could use */
  loaded(plan: Plan, key: string, value: unknown): void {
    refuseOneShot(value, plan.name, key);
    this.decoded(plan, value);
  }

  decoded(plan: Plan, value: unknown): void {
    const { nearest } = plan;
    const values = nearest === undefined ? this.#withoutLocalTier : nearest.storage.values;
    if (values === "frozen") deepFreeze(value);
  }
}
