import type { Entry } from "../entry/entry.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { UnsavedValues } from "../runtime/unsaved-values.js";

/** Returns the unsaved value of the key as an entry, for a class that writes behind. */
export function peekUnsaved(
  runtime: ClassRuntime,
  unsaved: UnsavedValues,
  key: string,
): Promise<Entry | undefined> {
  return new Promise((resolve) =>
    unsaved.find(runtime, key, (found) =>
      resolve(found && { ...found, ...untilSaved, origin: unsaved.journal }),
    ),
  );
}

/** The journal holds the value until its source has it. */
const untilSaved = {
  freshUntil: Number.POSITIVE_INFINITY,
  ttl: Number.POSITIVE_INFINITY,
  size: undefined,
  hits: undefined,
  tags: [],
};
