import { type Duration, milliseconds } from "../../duration.js";
import { shown } from "../../option-checks.js";

/**
 * The way of a value that `save` gets:
 *
 * - `"through"`: into the source, then into every tier;
 * - `"around"`: into the source; the tiers drop the key.
 */
export type WriteMode = "through" | "around";

/** The part of a class's policy that concerns `save`. */
export interface WritePolicy {
  /**
   * The way of a value that `save` gets. It needs a method `save`, or a static `saveAll`. Default:
   * `"through"`.
   */
  readonly write?: WriteMode | undefined;
  /**
   * The longest time that the source may take for a `save` or a `saveAll`. A longer call fails with
   * `CACHEME_SAVE_TIMEOUT`, its signal aborts, and the tiers drop the key, because the source may
   * have the value. `false` sets no limit. Default: 30 seconds.
   */
  readonly saveTimeout?: Duration | false | undefined;
}

/** The same, checked and with its defaults. */
export interface ResolvedWritePolicy {
  /** The way, if the class states it. */
  readonly write: WriteMode | undefined;
  /** Milliseconds; `undefined` without a limit. */
  readonly saveTimeout: number | undefined;
}

/** The names of the options. */
export const writeOptions: readonly (keyof WritePolicy)[] = ["write", "saveTimeout"];

const modes: ReadonlySet<unknown> = new Set<WriteMode>(["through", "around"]);

const defaultSaveTimeout: Duration = "30s";

/** @throws ConfigurationError `CACHEME_INVALID_META` or `CACHEME_INVALID_DURATION` */
export function resolveWrite(
  { write, saveTimeout }: WritePolicy,
  node: string,
  refuse: (what: string) => never,
): ResolvedWritePolicy {
  if (write !== undefined && !modes.has(write)) {
    refuse(`has \`write: ${shown(write)}\`: give "through" or "around".`);
  }
  return {
    write,
    saveTimeout:
      saveTimeout === false
        ? undefined
        : milliseconds(saveTimeout ?? defaultSaveTimeout, `saveTimeout of node "${node}"`, { node }),
  };
}
