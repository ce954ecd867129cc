import type { Node } from "./node.js";

/** A value, or a promise of it. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * The type of a node's value: what `Node<V>` declares, else what its `load` returns, else `unknown`.
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
 * A node whose `load` returns no promise, as `getSync` wants it. Other nodes do not fit it.
 *
 * @example
 * ```ts
 * declare function render<N extends Node>(node: N & SynchronousNode<N>): string;
 * ```
 */
export type SynchronousNode<N extends Node> = N extends { load(...args: never[]): infer R }
  ? [Extract<R, PromiseLike<unknown>>] extends [never]
    ? unknown
    : never
  : never;
