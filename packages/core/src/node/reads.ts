import type { Entry } from "../entry/entry.js";
import type { Node } from "./node.js";
import type { Answer, GetOptions, ReadOptions, ValuesOf } from "./options.js";
import type { ValueOf } from "./value-of.js";

/** The reads of one space, as a load gets them in its context. */
export interface Reads {
  /** Reads another node in the space of this load, as the module's `get` does. */
  get<N extends Node, V extends ValueOf<N> = ValueOf<N>>(
    node: N,
    options?: GetOptions<N, V>,
  ): Promise<Answer<N, V>>;
  /** Reads other nodes in the space of this load, as the module's `getAll` does. */
  getAll<const Ns extends readonly Node[]>(nodes: Ns, options?: ReadOptions): Promise<ValuesOf<Ns>>;
  /** Looks a node up in the space of this load without loading it, as the module's `peek` does. */
  peek<N extends Node>(node: N): Promise<Entry<ValueOf<N>> | undefined>;
}

/**
 * The token of a provided thing: its class, or a symbol.
 *
 * @example
 * ```ts
 * const usersTable: Token<UserRepository> = Symbol("users");
 * ```
 */
export type Token<T> = (abstract new (...args: never[]) => T) | (symbol & { readonly "~provides"?: T });

/** The functions that a space gives to the loads that run in it. */
export interface LoadSurroundings extends Reads {
  /**
   * Returns the thing that `provide` stored in the space.
   *
   * @throws ConfigurationError `CACHEME_NOT_PROVIDED` if nothing was provided under the token
   * @example
   * ```ts
   * override load({ inject }: LoadContext<User>) { return inject(UserRepository).find(this.id); }
   * ```
   */
  inject<T>(token: Token<T>): T;
}

/** A space as its loads see it. The functions are bound. */
export interface LoadSpace extends LoadSurroundings {
  /** The `Cacheme` itself, perhaps of another copy of the package. */
  readonly cacheme: unknown;
}
