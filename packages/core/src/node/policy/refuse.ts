import type { CachemeErrorDetails } from "../../errors.js";

/** The class whose options are checked. */
export interface PolicyOwner {
  /** The name of the node class. */
  readonly node: string;
  /** Throws the error of an invalid option. The text continues `The meta of node class "…"`. */
  readonly refuse: (what: string) => never;
}

/** Returns the name of an option in a message about a duration. */
export function optionOf(option: string, { node }: PolicyOwner): [string, CachemeErrorDetails] {
  return [`${option} of node "${node}"`, { node }];
}
