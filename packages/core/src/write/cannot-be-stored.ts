import { reasonOf, SerializationError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { NodeKind } from "../runtime/node-kind.js";

/** Returns the error of a value that a tier's serializer, or its way to copy, cannot carry. */
export function cannotBeStored(thrown: unknown, { name }: NodeKind, key: string): SerializationError {
  const path = thrown instanceof SerializationError ? thrown.path : "$";
  return new SerializationError(
    `The value of ${nodeLabel(name, key)} cannot be stored. ${reasonOf(thrown)}`,
    path,
    { node: name, key, cause: thrown },
  );
}
