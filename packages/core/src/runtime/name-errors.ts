import { ConfigurationError, typeName } from "../errors.js";
import type { Registered } from "../tiers/registered.js";
import { placeOf } from "./place-of.js";

/**
 * @param firstUse the stack of the first use of the class that has the name
 * @param use the stack of the other class's use, made by the same module
 */
export function duplicateNode(name: string, firstUse: Error, use: Error): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_DUPLICATE_NODE",
    `Two node classes of different source are named "${name}" in their meta; they would read each other's entries. Give ` +
      "one of them another `name`, or define the class once and import it from there. " +
      `The first one was first used:${placeOf(firstUse)}\nThis one is first used:${placeOf(use)}`,
    { node: name },
  );
}

/**
 * Refuses a storage whose entries other processes read, for a class without a name.
 *
 * @throws ConfigurationError `CACHEME_INVALID_META`
 */
export function checkNameless(name: string, registered: Registered): void {
  const { name: storage } = registered;
  const isRemote = registered.kind === "remote";
  if (!isRemote && registered.storage.snapshot === undefined) return;
  throw new ConfigurationError(
    "CACHEME_INVALID_META",
    `Node class "${name}" has no \`name\` in a meta of its own, and its storage "${storage}" ${isRemote ? "is remote" : "saves its entries"}. Give it one, such as ` +
      '`static meta = { name: "user", … }`: bundlers rename classes, and another build would read this class\'s entries as those of ' +
      "another one. A subclass does not inherit the name.",
    { node: name, storage },
  );
}

export function notANode(expected: string, got: unknown): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_INVALID_NODE",
    `Expected ${expected}, got ${typeName(got)}. ` +
      "Give an instance of a class that extends Node, or what a function made by defineNode returns.",
  );
}
