import type { Node } from "../node/node.js";
import type { Answer } from "../node/options.js";
import type { ValueOf } from "../node/value-of.js";

/**
 * Any function. It has no call signature on purpose. The compiler would take the types of an inline
 * function's parameters from a signature. Then `(page = 1) => …` would not have a number.
 */
export type AnyFunction = CallableFunction;

/**
 * The last four signatures of a function, each as `[this, parameters, result]`. If the function has
 * fewer, the compiler repeats the first one. Type parameters become their constraints.
 */
type Signatures<F> = F extends {
  (this: infer T1, ...args: infer A1): infer R1;
  (this: infer T2, ...args: infer A2): infer R2;
  (this: infer T3, ...args: infer A3): infer R3;
  (this: infer T4, ...args: infer A4): infer R4;
}
  ? readonly [readonly [T1, A1, R1], readonly [T2, A2, R2], readonly [T3, A3, R3], readonly [T4, A4, R4]]
  : never;

/** The parameters of a function; a union if it has overloads. */
export type ArgumentsOf<F> = Extract<Signatures<F>[number][1], unknown[]>;

/**
 * The parameters of the call of `toNode`. For overloads, each place has the types of all overloads,
 * so that `toNode` may take fewer. A union of lists of different lengths would refuse that.
 */
export type NodeArguments<F> =
  Overloaded<Signatures<F>> extends true ? ByPlace<[...ArgumentsOf<F>, ...undefined[]]> : ArgumentsOf<F>;

type ByPlace<A extends unknown[]> = [
  first: A[0],
  second: A[1],
  third: A[2],
  fourth: A[3],
  fifth: A[4],
  sixth: A[5],
];

/** Whether the signatures differ. */
type Overloaded<S extends readonly unknown[]> = Same<S[number], S[3]> extends true ? false : true;

/** The result of a function; a union if it has overloads. */
export type ResultOf<F> = Signatures<F>[number][2];

/**
 * Accepts a function whose result is known to be no promise, in each of its overloads. `any`
 * passes.
 */
export type Synchronous<F> = 0 extends 1 & ResultOf<F>
  ? unknown
  : [Extract<ResultOf<F>, PromiseLike<unknown>>] extends [never]
    ? unknown
    : never;

/** Accepts every node that may hold a `V`: the node declares that type, or no type. */
export type NodeFor<N extends Node, V> =
  unknown extends ValueOf<N> ? unknown : [V] extends [ValueOf<N>] ? unknown : never;

/**
 * The function `F`, answering with promises of the node's value. If `F` does so already, the type
 * is `F` itself, with its overloads and type parameters. Otherwise each of its last four overloads
 * is kept, and type parameters become their constraints.
 */
export type Answering<F, N extends Node> = Called<F, Signatures<F>, Promised<Signatures<F>, N>>;

/**
 * The function `F`, answering with the node's value instead of promises; otherwise as
 * {@link Answering}.
 */
export type AnsweringSync<F, N extends Node> = Called<F, Signatures<F>, Plain<Signatures<F>, N>>;

/** `F` with other results, one for each signature; `F` itself if they are its own. */
type Called<F, S extends readonly unknown[], Results> = S extends readonly [
  readonly [infer T1, infer A1 extends unknown[], infer R1],
  readonly [infer T2, infer A2 extends unknown[], infer R2],
  readonly [infer T3, infer A3 extends unknown[], infer R3],
  readonly [infer T4, infer A4 extends unknown[], infer R4],
]
  ? Results extends readonly [infer V1, infer V2, infer V3, infer V4]
    ? Same<readonly [R1, R2, R3, R4], Results> extends true
      ? F
      : Overloaded<S> extends true
        ? {
            (this: T1, ...args: A1): V1;
            (this: T2, ...args: A2): V2;
            (this: T3, ...args: A3): V3;
            (this: T4, ...args: A4): V4;
          }
        : (this: T4, ...args: A4) => V4
    : never
  : never;

type Promised<S, N extends Node> = {
  [I in keyof S]: S[I] extends readonly [unknown, unknown, infer R] ? Promise<Answer<N, Awaited<R>>> : never;
};

type Plain<S, N extends Node> = {
  [I in keyof S]: S[I] extends readonly [unknown, unknown, infer R] ? Answer<N, R> : never;
};

/** Whether two types are the same. `any` only equals `any`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
