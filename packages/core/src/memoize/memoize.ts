import { ConfigurationError, typeName } from "../errors.js";
import type { Node } from "../node/node.js";
import type { Answering, AnsweringSync, AnyFunction, ArgumentsOf, NodeArguments } from "./signature.js";

/** The members of a memoized function. */
export interface MemoizedMembers<F, N extends Node> {
  /** Returns the node that holds the result for these arguments. */
  node(...args: ArgumentsOf<F>): N;
  /** Removes the result for these arguments from every tier; see `invalidate`. */
  invalidate(...args: ArgumentsOf<F>): Promise<void>;
}

/**
 * A function whose results are cached. It keeps the name, the `this` and the parameters of the
 * original function `F`, and its overloads. It answers with the type that the node declares,
 * because other writers may have stored such a value. If the node declares no type, it answers with
 * the function's result.
 *
 * If the two types agree, type parameters are kept too; otherwise they become their constraints. If
 * overloads need another result type, the last four are kept.
 *
 * @example
 * ```ts
 * const findUser: Memoized<typeof loadUser, UserNode> = memoize(loadUser, (id) => new UserNode(id));
 * ```
 */
export type Memoized<F, N extends Node> = Answering<F, N> &
  MemoizedMembers<F, N> & {
    /** Calls the function again and stores the result; see `refresh`. */
    readonly refresh: Answering<F, N>;
  };

/** A memoized function that returns no promise; otherwise as {@link Memoized}. */
export type MemoizedSync<F, N extends Node> = AnsweringSync<F, N> & MemoizedMembers<F, N>;

/** The part of `Cacheme` that reads and stores the results. */
export interface Keeper {
  get(node: Node, options: { readonly load: () => unknown }): Promise<unknown>;
  getSync(node: Node, options: { readonly load: () => unknown }): unknown;
  refresh(node: Node, options: { readonly load: () => unknown }): Promise<unknown>;
  invalidate(node: Node): Promise<void>;
}

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` if `fn` or `toNode` is no function */
export function memoize<F extends AnyFunction, N extends Node>(
  cacheme: Keeper,
  fn: F,
  toNode: (...args: NodeArguments<F>) => N,
): Memoized<F, N> {
  const nodeOf = nodeMaker("memoize", fn, toNode);
  const memoized = function (this: unknown, ...args: unknown[]) {
    // A function that returns promises must not throw, even if toNode does.
    try {
      return cacheme.get(nodeOf(args), { load: () => Reflect.apply(fn, this, args) });
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const members = {
    ...membersOf(cacheme, nodeOf),
    async refresh(this: unknown, ...args: unknown[]) {
      return await cacheme.refresh(nodeOf(args), { load: () => Reflect.apply(fn, this, args) });
    },
  };
  // The tiers hold results of the function, or of a node of the same type.
  return Object.assign(likeThe(fn, memoized), members) as unknown as Memoized<F, N>;
}

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` if `fn` or `toNode` is no function */
export function memoizeSync<F extends AnyFunction, N extends Node>(
  cacheme: Keeper,
  fn: F,
  toNode: (...args: NodeArguments<F>) => N,
): MemoizedSync<F, N> {
  const nodeOf = nodeMaker("memoizeSync", fn, toNode);
  const memoized = function (this: unknown, ...args: unknown[]) {
    return cacheme.getSync(nodeOf(args), { load: () => Reflect.apply(fn, this, args) });
  };
  // As in memoize.
  return Object.assign(likeThe(fn, memoized), membersOf(cacheme, nodeOf)) as unknown as MemoizedSync<F, N>;
}

function membersOf(cacheme: Keeper, nodeOf: (args: unknown[]) => Node) {
  return {
    node: (...args: unknown[]) => nodeOf(args),
    invalidate: async (...args: unknown[]) => await cacheme.invalidate(nodeOf(args)),
  };
}

function nodeMaker(call: string, fn: unknown, toNode: unknown): (args: unknown[]) => Node {
  if (typeof fn !== "function") throw notAFunction(call, "the function to memoize", fn);
  if (typeof toNode !== "function") throw notAFunction(call, "toNode", toNode);
  const label = `${call}(${nameOf(fn) ?? "…"}, toNode)`;
  return (args) => checkedNode(Reflect.apply(toNode, undefined, args), label);
}

/** Returns the error for a `toNode` or a function of a type that the compiler would refuse. */
export function notAFunction(call: string, what: string, given: unknown): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `${call} expected ${what} to be a function, got ${typeName(given)}. ` +
      "Write memoize(fn, (id) => new UserNode(id)), or @memoized((id) => new UserNode(id)).",
  );
}

/**
 * Returns the result of a `toNode` if it is a node. The read checks everything else.
 *
 * @throws ConfigurationError `CACHEME_INVALID_NODE`
 */
export function checkedNode(node: unknown, label: string): Node {
  if (typeof (node as Partial<Node> | null | undefined)?.key === "function") return node as Node;
  const isPromise = typeof (node as { then?: unknown } | null | undefined)?.then === "function";
  if (isPromise) Promise.resolve(node).catch(() => {}); // Its own failure would be an unhandled rejection.
  throw new ConfigurationError(
    "CACHEME_INVALID_NODE",
    `The toNode of ${label} returned ${isPromise ? "a promise" : typeName(node)}, expected a node. ` +
      "Return an instance of a class that extends Node, or what a function made by defineNode returns, and no promise of it.",
  );
}

/** Returns the name of a function, if it has one. A name may be a getter, even one that throws. */
export function nameOf(fn: object): string | undefined {
  try {
    const name: unknown = Reflect.get(fn, "name");
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Gives a function the name and the length of another function, if that has them. */
export function likeThe<F extends object>(original: object, fn: F): F {
  Object.defineProperty(fn, "name", { value: nameOf(original) ?? "", configurable: true });
  Object.defineProperty(fn, "length", { value: lengthOf(original), configurable: true });
  return fn;
}

function lengthOf(fn: object): number {
  try {
    const length: unknown = Reflect.get(fn, "length");
    return typeof length === "number" ? length : 0;
  } catch {
    return 0;
  }
}
