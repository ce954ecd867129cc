import type { Node } from "./node.js";

/** A value, or a promise of it. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * The type of a node's value: the type that `Node<V>` declares, else the result of `load`, else
 * `unknown`.
 *
 * @example
 * ```ts
 * class UserNode extends Node {
 *   key() { return "1"; }
 *   override load() { return { name: "Ada" }; }
 * }
 * type User = ValueOf<UserNode>; // { name: string }
 * ```
 */
export type ValueOf<N extends Node> = N extends unknown
  ? unknown extends N["~value"]
    ? N extends { load(...args: never[]): infer R }
      ? Awaited<R>
      : N["~value"]
    : N["~value"]
  : never;

/**
 * A node whose `load` is known to return no promise, as `getSync` requires. Other nodes do not
 * match.
 *
 * @example
 * ```ts
 * declare function render<N extends Node>(node: N & SynchronousNode<N>): string;
 * ```
 */
export type SynchronousNode<N extends Node> =
  NonNullable<N["load"]> extends (...args: never[]) => infer R
    ? Asynchronous<R> extends true
      ? never
      : unknown
    : never;

/**
 * Whether the result of a `load` may be a promise. `unknown` and `any` may be one. The type lets
 * `any` pass, because its author wants no check: a promise is refused at run time.
 */
export type Asynchronous<R> = 0 extends 1 & R
  ? false
  : unknown extends R
    ? true
    : [Extract<R, PromiseLike<unknown>>] extends [never]
      ? false
      : true;
