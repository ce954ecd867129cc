import { ConfigurationError, typeName } from "../errors.js";
import type { Node } from "../node/node.js";
import type { ValueOf } from "../node/value-of.js";
import { refuseUnknownOptions } from "../option-checks.js";
import { checkedNode, type Keeper, likeThe, nameOf, notAFunction } from "./memoize.js";
import { copyMetadata } from "./metadata.js";
import type { AnyFunction, ArgumentsOf, ResultOf } from "./signature.js";

/**
 * A decorator for methods that return promises of the nodes' values. A method has the `this` and
 * the parameters of `toNode`, or more parameters. It works as a standard decorator, and as a legacy
 * one under `experimentalDecorators`.
 */
// A condition checks the method, not a constraint. If a constraint is not met, the compiler falls
// back to it. A decorator's context then fits too much, because its methods are compared in either
// direction.
export interface MethodMemoizer<This, Args extends unknown[], N extends Node> {
  <T, F extends AnyFunction>(
    method: F,
    context: Memoizable<T, F, This, Args, N> extends true ? ClassMethodDecoratorContext<T> : never,
  ): F;
  <T extends object, F extends AnyFunction>(
    target: T,
    key: string | symbol,
    descriptor: Memoizable<T, F, This, Args, N> extends true ? TypedPropertyDescriptor<F> : never,
  ): TypedPropertyDescriptor<F>;
}

/** Whether a method `F` of `T` fits the nodes and their `toNode`. */
// A decorator cannot change the method's type. So the results must agree in both directions,
// because the tiers may hold any value that the node's type allows.
type Memoizable<T, F, This, Args extends unknown[], N extends Node> = [
  T,
  ArgumentsOf<F>,
  ResultOf<F>,
] extends [This, [...Args, ...unknown[]], Promise<ValueOf<N>>]
  ? unknown extends ValueOf<N>
    ? true
    : [Promise<ValueOf<N>>] extends [ResultOf<F>]
      ? true
      : false
  : false;

/** The options of {@link MethodMemoizer}. */
export interface MemoizedOptions<This> {
  /**
   * Returns the space in which an instance keeps its results: a `Cacheme`, such as an injected one.
   * Default: the `Cacheme` whose `memoized` this is. For the module's function it is the caller's
   * space.
   */
  readonly space?: ((instance: This) => Pick<Keeper, "get">) | undefined;
}

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`, and `CACHEME_INVALID_DECORATOR` from the
 *   decorator
 */
export function memoized<This, Args extends unknown[], N extends Node>(
  cacheme: Keeper,
  ...given: readonly unknown[]
): MethodMemoizer<This, Args, N> {
  const [toNode, options] = given;
  // Detects `@memoized` without its call: the compiler's output passes it the arguments of the
  // decorator.
  const isCalled = given.length <= 2 && standardKind(options) === undefined && !isPropertyKey(options);
  if (!isCalled) throw misplaced(`${decorated(given)}, without its call`);
  if (typeof toNode !== "function") throw notAFunction("memoized", "toNode", toNode);
  const spaceOf = spaceFinder(options) ?? (() => cacheme);

  const decorator = (...decoration: readonly unknown[]): unknown => {
    const [target, key, descriptor] = decoration;
    if (isStandardMethod(target, key)) return memoizeMethod(spaceOf, target, toNode);
    if (isLegacyMethod(key, descriptor)) {
      return { ...descriptor, value: memoizeMethod(spaceOf, descriptor.value, toNode) };
    }
    throw misplaced(decorated(decoration));
  };
  return decorator as MethodMemoizer<This, Args, N>; // The branches above tell the two forms apart.
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

type SpaceFinder = (instance: unknown) => Pick<Keeper, "get">;

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` */
function spaceFinder(options: unknown): SpaceFinder | undefined {
  if (options === undefined) return undefined;
  refuseUnknownOptions(options as object, ["space"], "memoized(toNode, …)"); // It also refuses values that are not objects.
  const { space } = options as { readonly space?: unknown };
  if (space !== undefined && typeof space !== "function")
    throw notAFunction("memoized", "the option space", space);
  return space as SpaceFinder | undefined; // The compiler has checked the result, and memoizeMethod does.
}

function memoizeMethod(spaceOf: SpaceFinder, method: Method, toNode: AnyFunction): Method {
  const label = `@memoized on "${nameOf(method) ?? "…"}"`;
  const memoizedMethod = likeThe(method, function (this: unknown, ...args: unknown[]) {
    try {
      const node = checkedNode(Reflect.apply(toNode, this, args), label);
      return checkedSpace(spaceOf(this), label).get(node, { load: () => Reflect.apply(method, this, args) });
    } catch (error) {
      return Promise.reject(error);
    }
  });
  copyMetadata(method, memoizedMethod);
  return memoizedMethod;
}

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` if the option `space` returned something that
 *   cannot read
 */
function checkedSpace(space: Pick<Keeper, "get">, label: string): Pick<Keeper, "get"> {
  if (typeof (space as Partial<Keeper> | null | undefined)?.get === "function") return space;
  throw new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `The option space of ${label} returned ${typeName(space)}, expected a Cacheme. Return the Cacheme of the instance.`,
  );
}

/**
 * Returns whether the arguments are those of a standard decorator, whose second argument is its
 * context.
 */
function isStandardMethod(method: unknown, context: unknown): method is Method {
  return standardKind(context) === "method" && typeof method === "function";
}

/**
 * Returns whether the arguments are those of a legacy decorator: the prototype or the class, the
 * key and the descriptor.
 */
function isLegacyMethod(
  key: unknown,
  descriptor: unknown,
): descriptor is PropertyDescriptor & { value: Method } {
  return (
    isPropertyKey(key) && typeof (descriptor as PropertyDescriptor | null | undefined)?.value === "function"
  );
}

function standardKind(context: unknown): string | undefined {
  const kind = (context as { kind?: unknown } | null | undefined)?.kind;
  return typeof context === "object" && typeof kind === "string" ? kind : undefined;
}

function isPropertyKey(key: unknown): key is string | symbol {
  return typeof key === "string" || typeof key === "symbol";
}

/** Describes the decorated thing by the arguments of the decorator's call. */
function decorated([target, key, descriptor]: readonly unknown[]): string {
  const kind = standardKind(key);
  if (kind === "class") return named("class", (key as ClassDecoratorContext).name);
  if (kind !== undefined) return named(kind, (key as ClassMethodDecoratorContext).name);
  if (typeof descriptor === "number")
    return `parameter ${descriptor} of ${named("method", key ?? "constructor")}`;
  if (isPropertyKey(key)) return named(legacyKind(descriptor), key);
  return typeof target === "function" ? named("class", nameOf(target)) : typeName(target);
}

function legacyKind(descriptor: unknown): string {
  const { value, get, set } = (descriptor ?? {}) as PropertyDescriptor;
  if (typeof value === "function") return "method";
  return get === undefined && set === undefined ? "field" : "accessor";
}

function named(kind: string, name: unknown): string {
  return name === undefined ? `a ${kind}` : `the ${kind} "${String(name)}"`;
}

function misplaced(what: string): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_INVALID_DECORATOR",
    `@memoized expected a method, got ${what}. ` +
      "Write @memoized((id) => new UserNode(id)) before a method; for a function in a field use memoize(fn, toNode).",
  );
}
