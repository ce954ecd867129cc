import { SaveError } from "../errors.js";

/** Returns the error of a `set` of a class that writes behind. */
export function setBehind(name: string, key: string): SaveError {
  return new SaveError(
    "CACHEME_SET_BEHIND",
    `set was called for a node of "${name}", whose class writes behind: an unsaved value in the journal would hide what is set. ` +
      "Call save(node, value).",
    { node: name, key },
  );
}
