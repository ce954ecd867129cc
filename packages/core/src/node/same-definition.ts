import type { NodeClass } from "./node.js";

/** Where `defineNode` keeps the definition of the nodes that a factory makes. Another copy of the package may read it. */
export const definitionKey = "~definition";

/**
 * Whether two node classes are one source, evaluated twice: by two module graphs, by a test that resets modules, by a
 * function that defines nodes each time it runs. What the functions close over cannot be compared.
 */
export function isSameDefinition(one: NodeClass, other: NodeClass): boolean {
  const [left, right] = [definitionOf(one), definitionOf(other)];
  if (left !== undefined || right !== undefined) return isAlike(left, right, new Set());
  return isAlikeClass(one, other) && isAlike(one.meta, other.meta, new Set());
}

function definitionOf(nodeClass: NodeClass): unknown {
  return (nodeClass as { readonly [definitionKey]?: unknown })[definitionKey];
}

/** Compares the classes and those that they extend, up to the base class, which is the package's. */
function isAlikeClass(one: object, other: object): boolean {
  let [left, right]: [object | null, object | null] = [one, other];
  while (left !== right) {
    if (typeof left !== "function" || typeof right !== "function") return false;
    const [leftBase, rightBase]: [object | null, object | null] = [
      Object.getPrototypeOf(left),
      Object.getPrototypeOf(right),
    ];
    const isPackages = leftBase === Function.prototype && rightBase === Function.prototype && left !== one;
    if (isPackages) return true;
    if (!isAlikeSource(String(left), String(right))) return false;
    if (!hasAlikeFunctions(left, right) || !hasAlikeFunctions(left.prototype, right.prototype)) return false;
    [left, right] = [leftBase, rightBase];
  }
  return true;
}

/** Of a class that was compiled to a function, the source does not show the methods. Of statics, functions alone count. */
function hasAlikeFunctions(one: unknown, other: unknown): boolean {
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

/** Functions by their source, everything else by what it holds. */
function isAlike(one: unknown, other: unknown, compared: Set<unknown>): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one === "function" && typeof other === "function") return isAlikeFunction(one, other);
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (compared.has(one)) return true; // What contains itself is being compared already.
  compared.add(one);
  const [left, right] = [Object.entries(one), new Map(Object.entries(other))];
  return (
    left.length === right.size &&
    left.every(([name, value]) => right.has(name) && isAlike(value, right.get(name), compared))
  );
}

/** Bound and built-in functions all have one source, which says nothing. */
function isAlikeFunction(one: object, other: object): boolean {
  const source = String(one);
  return !source.includes("[native code]") && isAlikeSource(source, String(other));
}

/** Names that bundlers and minifiers make: `t`, `__vite_ssr_import_0__`, `_db__WEBPACK_IMPORTED_MODULE_0__`, `user$1`. */
const generatedName = /^(?:[\p{ID_Start}_$].?|.*__.*|_.*|.*\$\d*)$/u;

/**
 * Whether two sources are equal but for names that a bundler made: one module in two graphs is compiled twice, and a minifier
 * may name its imports differently. Each such name must stand for one name of the other source throughout. Properties, which
 * follow a dot or precede a colon in an object, have to be equal.
 */
function isAlikeSource(one: string, other: string): boolean {
  if (one === other) return true;
  const [left, right] = [tokensOf(one), tokensOf(other)];
  if (left.length !== right.length) return false;
  const [there, back] = [new Map<string, string>(), new Map<string, string>()];
  return left.every((word, place) => {
    const twin = right[place] ?? "";
    if (isProperty(left, place) || !generatedName.test(word) || !generatedName.test(twin))
      return word === twin;
    const isConsistent = (there.get(word) ?? twin) === twin && (back.get(twin) ?? word) === word;
    there.set(word, twin);
    back.set(twin, word);
    return isConsistent;
  });
}

function isProperty(tokens: readonly string[], place: number): boolean {
  const before = tokens[place - 1];
  if (before === "." && tokens[place - 2] !== ".") return true;
  return tokens[place + 1] === ":" && (before === "{" || before === ",");
}

const token =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[\p{ID_Start}_$][\p{ID_Continue}$]*|[^\s]/gsu;

/** Splits a source into names, strings and single characters. The expressions in a template are split in turn. */
function tokensOf(source: string): string[] {
  return (source.match(token) ?? []).flatMap((word) =>
    word.length > 1 && word.startsWith("`")
      ? word
          .split(/(\$\{[^{}`]*\})/)
          .flatMap((part) => (part.startsWith("${") ? tokensOf(part.slice(2, -1)) : `\`${part}`))
      : word,
  );
}
