import { types } from "node:util";
import { inThisRealm } from "../realm.js";

/** The standard error classes by name, each as a function that makes an empty instance. */
const errorClasses: ReadonlyMap<string, { readonly prototype: Error; make(): Error }> = new Map([
  ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(
    (errorClass) =>
      [errorClass.name, { prototype: errorClass.prototype, make: () => new errorClass() }] as const,
  ),
  ["AggregateError", { prototype: AggregateError.prototype, make: () => new AggregateError([]) }] as const,
]);

const standardPrototypes: ReadonlySet<unknown> = new Set(
  Array.from(errorClasses.values(), ({ prototype }) => prototype),
);

/**
 * Returns whether serializers treat the object as an error. Newer Nodes count a DOMException among
 * the native errors, older ones do not.
 */
export function isError(value: object): value is Error {
  return types.isNativeError(value) || isDOMException(value);
}

export function isDOMException(value: object): value is DOMException {
  return Object.getPrototypeOf(value) === DOMException.prototype && hasDOMExceptionState(value);
}

/**
 * Returns whether the object is a real DOMException: the prototype's getters throw for an
 * imitation.
 */
function hasDOMExceptionState(value: object): boolean {
  try {
    return (
      typeof Reflect.get(value, "name") === "string" && typeof Reflect.get(value, "message") === "string"
    );
  } catch {
    return false;
  }
}

/**
 * Returns the name of the standard class of an error, and `undefined` for an instance of any other
 * class. `byNode` is set for the classes of Node's own errors, such as a refused connection or the
 * codes `ERR_…`.
 */
export function standardClassOf(
  error: Error,
): { readonly name: string; readonly byNode: NodeErrorForm | undefined } | undefined {
  const prototype: unknown = Object.getPrototypeOf(error);
  if (typeof prototype !== "object" || prototype === null) return undefined;
  const own = inThisRealm(prototype);
  if (standardPrototypes.has(own)) return { name: nameOf(own), byNode: undefined };
  return nodeClassOf(own);
}

/**
 * The form of one of Node's own errors. `"plain"` does not differ visibly from its standard class;
 * `"coded"` writes its code in `toString()`.
 */
export type NodeErrorForm = "plain" | "coded";

/**
 * Returns the class that Node pretends. A getter `constructor` on the prototypes of Node's own
 * errors returns the standard class. Those classes add nothing else, but some have a `toString`
 * that shows the code, and a mark for `util.inspect`.
 */
function nodeClassOf(
  prototype: object,
): { readonly name: string; readonly byNode: NodeErrorForm } | undefined {
  let byNode: NodeErrorForm = "plain";
  for (let each: object | null = prototype; each !== null; each = Object.getPrototypeOf(each)) {
    const home = inThisRealm(each);
    if (standardPrototypes.has(home)) {
      const name = nameOf(home);
      return byNode === "coded" && codedPrototype(name) === undefined ? undefined : { name, byNode };
    }
    if (Object.getOwnPropertyDescriptor(each, "constructor")?.get === undefined) return undefined;
    for (const key of Reflect.ownKeys(each)) {
      if (key === "toString") byNode = "coded";
      else if (key !== "constructor" && !isNodeMark(key)) return undefined;
    }
  }
  return undefined;
}

function isNodeMark(key: string | symbol): boolean {
  return typeof key === "symbol" && key.description === "kIsNodeError";
}

function nameOf(prototype: object): string {
  return String(Reflect.get(prototype, "name"));
}

/**
 * Returns an empty error of a standard class. If the form is `"coded"`, the class is the one that
 * Node derives from it.
 */
export function emptyError(name: string, form: NodeErrorForm | undefined): Error {
  const error = errorClasses.get(name)?.make();
  if (error === undefined) throw new RangeError(`No error class is called ${name}.`);
  for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key);
  if (form !== "coded") return error;
  const prototype = codedPrototype(name);
  if (prototype === undefined) throw new RangeError(`Node makes no ${name} with a code.`);
  return Object.setPrototypeOf(error, prototype);
}

const codedPrototypes = new Map<string, object | undefined>();

/**
 * Returns the prototype of Node's errors with a code. No module of Node exports the prototype, so
 * the function provokes an error and reads its prototype.
 */
function codedPrototype(name: string): object | undefined {
  if (!codedPrototypes.has(name)) codedPrototypes.set(name, findCodedPrototype(name));
  return codedPrototypes.get(name);
}

const provocations: Readonly<Record<string, () => unknown>> = {
  TypeError: () => Buffer.alloc("" as never),
  RangeError: () => Buffer.alloc(-1),
  Error: () => new (process.getBuiltinModule("node:stream").Readable)()._read(0),
};

function findCodedPrototype(name: string): object | undefined {
  try {
    provocations[name]?.();
  } catch (error) {
    let prototype: unknown = Object.getPrototypeOf(error);
    while (typeof prototype === "object" && prototype !== null) {
      if (Object.hasOwn(prototype, "toString")) {
        // A standard prototype has a `constructor`, too.
        return Object.getOwnPropertyDescriptor(prototype, "constructor")?.get === undefined
          ? undefined
          : prototype;
      }
      prototype = Object.getPrototypeOf(prototype);
    }
  }
  return undefined;
}
