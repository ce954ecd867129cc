import { isAlikeBundled, isAlikeMinified, isMinified } from "./alike-source.js";
import type { NodeClass } from "./node.js";

/**
 * The property in which `defineNode` keeps the definition of a factory's nodes. Another copy of the
 * package may read it.
 */
export const definitionKey = "~definition";

/** Compares the sources of two functions or classes. */
type SourceRule = (one: string, other: string) => boolean;

/**
 * Returns whether two node classes are one source, evaluated twice. Two module graphs, a test that
 * resets modules, or a function that defines nodes on each call can do that. The variables that
 * functions close over cannot be compared.
 */
export function isSameDefinition(one: NodeClass, other: NodeClass): boolean {
  return isAlikeNode(one, other, isAlikeBundled);
}

/**
 * Returns whether two minified node classes may be one source. A minifier names and inlines
 * differently in each module graph, so the sources of one class may differ. If each graph also has
 * a copy of this package, the meta and the members decide. In one graph the sources decide, without
 * their names.
 */
export function isSameMinified(one: NodeClass, other: NodeClass): boolean {
  if (![...sourcesOf(one), ...sourcesOf(other)].every(isMinified)) return false;
  return isAlikeNode(one, other, packageOf(one) === packageOf(other) ? isAlikeMinified : () => true);
}

function isAlikeNode(one: NodeClass, other: NodeClass, isAlikeSource: SourceRule): boolean {
  const [left, right] = [definitionOf(one), definitionOf(other)];
  if (left !== undefined || right !== undefined) return isAlike(left, right, isAlikeSource, new Set());
  return isAlikeClass(one, other, isAlikeSource) && isAlike(one.meta, other.meta, isAlikeSource, new Set());
}

function definitionOf(nodeClass: NodeClass): object | undefined {
  return (nodeClass as { readonly [definitionKey]?: object })[definitionKey];
}

/**
 * Returns the sources that the user wrote: of the definition's functions, or of the classes below
 * the package's.
 */
function sourcesOf(nodeClass: NodeClass): string[] {
  const definition = definitionOf(nodeClass);
  const owned = definition === undefined ? ownClasses(nodeClass) : Object.values(definition);
  return owned.filter((value) => typeof value === "function" && !isNative(value)).map(String);
}

/**
 * Returns the prototype of the class `Node` that the class extends. It tells the copies of this
 * package apart.
 */
function packageOf({ prototype }: NodeClass): object {
  return chainOf(prototype).at(-2) ?? prototype; // The last one is the prototype of all objects.
}

/** Returns the class and those that it extends, without the last one, which is the package's. */
function ownClasses(nodeClass: NodeClass): object[] {
  return chainOf(nodeClass)
    .filter((each) => typeof each === "function" && !isNative(each))
    .slice(0, -1);
}

function chainOf(object: object): object[] {
  const chain: object[] = [];
  for (let each: object | null = object; each !== null; each = Object.getPrototypeOf(each)) chain.push(each);
  return chain;
}

/** Compares the classes and those that they extend, up to the package's base class. */
function isAlikeClass(one: NodeClass, other: NodeClass, isAlikeSource: SourceRule): boolean {
  const [left, right] = [ownClasses(one), ownClasses(other)];
  return (
    left.length === right.length &&
    left.every((nodeClass, place) => {
      const twin = right[place];
      if (nodeClass === twin) return true;
      if (typeof nodeClass !== "function" || typeof twin !== "function") return false;
      if (!isAlikeSource(String(nodeClass), String(twin))) return false;
      return (
        hasAlikeFunctions(nodeClass, twin, isAlikeSource) &&
        hasAlikeFunctions(nodeClass.prototype, twin.prototype, isAlikeSource)
      );
    })
  );
}

/**
 * Compares the functions of two classes. If a class was compiled to a function, its source does not
 * show the methods. Only functions count among the statics.
 */
function hasAlikeFunctions(one: unknown, other: unknown, isAlikeSource: SourceRule): boolean {
  const [left, right] = [functionsOf(one), functionsOf(other)];
  return (
    left.size === right.size &&
    [...left].every(([name, source]) => {
      const twin = right.get(name);
      return twin !== undefined && isAlikeSource(source, twin);
    })
  );
}

function functionsOf(owner: unknown): Map<string, string> {
  const sources = new Map<string, string>();
  if ((typeof owner !== "object" && typeof owner !== "function") || owner === null) return sources;
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
    if (name === "constructor") continue;
    for (const part of [property.value, property.get, property.set]) {
      if (typeof part === "function") sources.set(`${name} ${sources.size}`, String(part));
    }
  }
  return sources;
}

/** Compares functions by their source, and other values by their contents. */
function isAlike(one: unknown, other: unknown, isAlikeSource: SourceRule, compared: Set<unknown>): boolean {
  if (Object.is(one, other)) return true;
  // Bound and built-in functions all have one source, which does not identify them.
  if (typeof one === "function" && typeof other === "function")
    return !isNative(one) && isAlikeSource(String(one), String(other));
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (compared.has(one)) return true; // A value that contains itself is already being compared.
  compared.add(one);
  const [left, right] = [Object.entries(one), new Map(Object.entries(other))];
  return (
    left.length === right.size &&
    left.every(([name, value]) => right.has(name) && isAlike(value, right.get(name), isAlikeSource, compared))
  );
}

function isNative(value: object): boolean {
  return String(value).includes("[native code]");
}
