import type { Node } from "./node/node.js";
import type { Answer } from "./node/options.js";
import type { ValueOf } from "./node/value-of.js";

/** Fits every node that may hold a `V`: its value is of that type, or it does not tell. */
export type NodeFor<N extends Node, V> =
  unknown extends ValueOf<N> ? unknown : [V] extends [ValueOf<N>] ? unknown : never;

/**
 * A function whose results are cached. It keeps the name, the `this` and the parameters of the one that it was made of. It
 * answers what the node holds, since that may have been put there by others; what the function returns, where the node does
 * not tell.
 */
export interface Memoized<This, Args extends unknown[], V, N extends Node> {
  (this: This, ...args: Args): Promise<V>;
  /** The node that holds the result for these arguments. */
  node(...args: Args): N;
  /** Removes the result for these arguments from every tier; see `invalidate`. */
  invalidate(...args: Args): Promise<void>;
  /** Calls the function anew and stores the result; see `refresh`. */
  refresh(this: This, ...args: Args): Promise<V>;
}

/** As {@link Memoized}, of a function that returns no promise. */
export interface MemoizedSync<This, Args extends unknown[], V, N extends Node> {
  (this: This, ...args: Args): V;
  /** The node that holds the result for these arguments. */
  node(...args: Args): N;
  /** Removes the result for these arguments from every tier; see `invalidate`. */
  invalidate(...args: Args): Promise<void>;
}

/**
 * A decorator for methods that return promises of what the nodes hold, and that have the `this` and the parameters of
 * `toNode`, or more.
 */
// `this` and the parameters are checked by a condition, not by a constraint: where a constraint is not met the compiler falls
// back to it, and a decorator's context then fits too much, since its methods are compared in either direction.
export type MethodMemoizer<This, Args extends unknown[], N extends Node> = <
  T,
  A extends unknown[],
  R extends Promise<ValueOf<N>>,
>(
  method: (this: T, ...args: A) => R,
  context: [T, A] extends [This, [...Args, ...unknown[]]]
    ? ClassMethodDecoratorContext<T, (this: T, ...args: A) => R>
    : never,
) => (this: T, ...args: A) => Promise<Answer<N, Awaited<R>>>;

/** What is asked of the `Cacheme` that keeps the results. */
interface Keeper {
  get(node: Node, options: { readonly load: () => unknown }): Promise<unknown>;
  getSync(node: Node, options: { readonly load: () => unknown }): unknown;
  refresh(node: Node, options: { readonly load: () => unknown }): Promise<unknown>;
  invalidate(node: Node): Promise<void>;
}

export function memoize<This, Args extends unknown[], R, N extends Node>(
  cacheme: Keeper,
  fn: (this: This, ...args: Args) => R,
  toNode: (...args: Args) => N,
): Memoized<This, Args, Answer<N, Awaited<R>>, N> {
  const memoized = function (this: This, ...args: Args) {
    // Whoever calls a function that answers promises expects no throw, also where toNode throws.
    try {
      return cacheme.get(toNode(...args), { load: () => fn.apply(this, args) });
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const parts = {
    node: toNode,
    invalidate: async (...args: Args) => await cacheme.invalidate(toNode(...args)),
    async refresh(this: This, ...args: Args) {
      return await cacheme.refresh(toNode(...args), { load: () => fn.apply(this, args) });
    },
  };
  // What a tier holds under the node was returned by the function, or by a node of the same type.
  return Object.assign(likeThe(fn, memoized), parts) as Memoized<This, Args, Answer<N, Awaited<R>>, N>;
}

export function memoizeSync<This, Args extends unknown[], R, N extends Node>(
  cacheme: Keeper,
  fn: (this: This, ...args: Args) => R extends PromiseLike<unknown> ? never : R,
  toNode: (...args: Args) => N,
): MemoizedSync<This, Args, Answer<N, R>, N> {
  const memoized = function (this: This, ...args: Args) {
    return cacheme.getSync(toNode(...args), { load: () => fn.apply(this, args) });
  };
  const parts = {
    node: toNode,
    invalidate: async (...args: Args) => await cacheme.invalidate(toNode(...args)),
  };
  return Object.assign(likeThe(fn, memoized), parts) as MemoizedSync<This, Args, Answer<N, R>, N>; // As in memoize.
}

export function memoized<This, Args extends unknown[], N extends Node>(
  cacheme: Keeper,
  toNode: (this: This, ...args: Args) => N,
): MethodMemoizer<This, Args, N> {
  return <T, A extends unknown[], R>(method: (this: T, ...args: A) => R) =>
    likeThe(method, function (this: T, ...args: A) {
      try {
        // The type of the decorator saw to it that toNode takes this `this` and the first of these arguments; it ignores the others.
        const node = toNode.apply(this as unknown as This, args as unknown as Args);
        const answer = cacheme.get(node, { load: () => method.apply(this, args) });
        return answer as Promise<Answer<N, Awaited<R>>>; // As in memoize.
      } catch (error) {
        return Promise.reject(error);
      }
    });
}

/** Gives a function the name and the length of another. */
function likeThe<F extends object>(original: { readonly name: string; readonly length: number }, fn: F): F {
  Object.defineProperty(fn, "name", { value: original.name, configurable: true });
  Object.defineProperty(fn, "length", { value: original.length, configurable: true });
  return fn;
}
