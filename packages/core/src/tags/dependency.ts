import { type CachemeErrorDetails, ConfigurationError, typeName } from "../errors.js";
import { storageKey } from "../node/key.js";
import type { Node } from "../node/node.js";

/** The most nodes that a value depends on, those of its dependencies included. */
export const mostDependencies = 100;

/** The most tags of one entry, with those of its dependencies. Their names fit into an envelope. */
export const mostNames = 200;

/** The beginning of the names of tags that stand for nodes. */
export const dependencyMark = "~node:";

/** Returns the name of the tag of the values that depend on a node. */
export function dependencyTag(name: string, key: string): string {
  return storageKey(`${dependencyMark}${name}:`, key, "");
}

/** Returns the name of the tag of every entry of a class. */
export function classTag(name: string): string {
  return `~class:${name}`;
}

/**
 * Checks the answer of `dependsOn()`.
 *
 * @throws ConfigurationError `CACHEME_INVALID_NODE` if it is not a list
 */
export function checkDependencies(
  nodes: unknown,
  label: string,
  details: CachemeErrorDetails,
): readonly Node[] {
  if (Array.isArray(nodes)) return nodes;
  throw new ConfigurationError(
    "CACHEME_INVALID_NODE",
    `dependsOn() of ${label} expected a list of nodes, got ${typeName(nodes)}. Give a list such as [new UserNode(1)].`,
    details,
  );
}

export function dependencyCycle(way: readonly string[], details: CachemeErrorDetails): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_DEPENDENCY_CYCLE",
    `dependsOn() goes in a circle: ${way.join(" → ")}. Let one of the nodes depend on none of the others.`,
    details,
  );
}

export function tooManyDependencies(label: string, details: CachemeErrorDetails): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_TOO_MANY_DEPENDENCIES",
    `${label} depends on more than ${mostDependencies} nodes, those of its dependencies included. Each read compares all of ` +
      "them: give the nodes a common tag, and invalidate by that.",
    details,
  );
}
