import { type Duration, milliseconds } from "../../duration.js";
import { shown } from "../../option-checks.js";

/**
 * The way of a value that `save` gets:
 *
 * - `"through"`: into the source, then into every tier;
 * - `"around"`: into the source; the tiers drop the key;
 * - `"behind"`: into a journal. It is written into the source later, and read from the journal until
 *   then.
 */
export type WriteMode = "through" | "around" | "behind";

/** The part of a class's policy that concerns `save`. */
export interface WritePolicy {
  /**
   * The way of a value that `save` gets. It needs a method `save`, or a static `saveAll`. Default:
   * `"through"`.
   */
  readonly write?: WriteMode | undefined;
  /** The name of the registered journal that a class with `write: "behind"` writes into. */
  readonly journal?: string | undefined;
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
  /** The name of the journal, for a class that writes behind. */
  readonly journal: string | undefined;
  /** Milliseconds; `undefined` without a limit. */
  readonly saveTimeout: number | undefined;
}

/** The names of the options. */
export const writeOptions: readonly (keyof WritePolicy)[] = ["write", "journal", "saveTimeout"];

const modes: ReadonlySet<unknown> = new Set<WriteMode>(["through", "around", "behind"]);

const defaultSaveTimeout: Duration = "30s";

/** @throws ConfigurationError `CACHEME_INVALID_META` or `CACHEME_INVALID_DURATION` */
export function resolveWrite(
  { write, journal, saveTimeout }: WritePolicy,
  node: string,
  refuse: (what: string) => never,
): ResolvedWritePolicy {
  if (write !== undefined && !modes.has(write)) {
    refuse(`has \`write: ${shown(write)}\`: give "through", "around" or "behind".`);
  }
  if (write === "behind" && (typeof journal !== "string" || journal === "")) {
    refuse(
      `has \`write: "behind"\` and the journal ${shown(journal)}: give the name of a registered journal.`,
    );
  }
  if (write !== "behind" && journal !== undefined) {
    refuse(`has the journal ${shown(journal)} and does not write behind: add \`write: "behind"\`.`);
  }
  return {
    write,
    journal,
    saveTimeout:
      saveTimeout === false
        ? undefined
        : milliseconds(saveTimeout ?? defaultSaveTimeout, `saveTimeout of node "${node}"`, { node }),
  };
}
