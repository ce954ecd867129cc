import { ConfigurationError } from "./errors.js";
import type { NodeMeta } from "./node/meta.js";
import { type LoadAllContext, type LoadContext, Node, type NodeClass, type Scope } from "./node/node.js";
import { definitionKey } from "./node/same-definition.js";
import type { SaveContext } from "./node/saves.js";
import type { Asynchronous, MaybePromise } from "./node/value-of.js";

/**
 * The argument of {@link defineNode}: a {@link NodeMeta}, with a class's methods as functions.
 * `Loaded` is the result of `load`, with its promise; `V` the value that `loadAll` returns.
 */
export interface NodeDefinition<
  Args extends readonly [unknown?],
  Loaded,
  V extends Awaited<Loaded> = Awaited<Loaded>,
> extends NodeMeta {
  readonly name: string;
  /**
   * Returns the string that tells a node from the others of its definition. It is not empty and has
   * no control characters.
   */
  readonly key: (...args: Args) => string;
  /** Gets the value from its source. */
  readonly load?: ((argument: Args[0], context: LoadContext) => Loaded) | undefined;
  /** Writes a value to its source; see {@link Node.save}. */
  readonly save?: ((argument: Args[0], value: NoInfer<V>, context: SaveContext) => unknown) | undefined;
  /** Writes many values to their source in one go; see {@link SaveAll}. */
  readonly saveAll?:
    | ((entries: readonly DefinedEntry<Args[0], NoInfer<V>>[], context: SaveContext) => unknown)
    | undefined;
  /** Returns the groups in which a value is invalidated; see {@link Node.tags}. */
  readonly tags?: ((...args: Args) => readonly string[]) | undefined;
  /** Returns the scope that a value belongs to; see {@link Node.scope}. */
  readonly scope?: ((...args: Args) => Scope) | undefined;
  /** Returns the nodes that a value is made of; see {@link Node.dependsOn}. */
  readonly dependsOn?: ((...args: Args) => readonly Node[]) | undefined;
  /** Returns the nodes that are likely to be read soon afterwards; see {@link Node.related}. */
  readonly related?: ((argument: Args[0], value: NoInfer<V>) => readonly Node[]) | undefined;
  /** Gets many values in one go: for each argument, in their order, a value or an `Error`. */
  readonly loadAll?:
    | ((args: readonly Args[0][], context: LoadAllContext) => MaybePromise<readonly (V | Error)[]>)
    | undefined;
}

/** A value of a list that a definition's `saveAll` writes. */
export interface DefinedEntry<A, V> {
  readonly argument: A;
  readonly value: V;
}

/** A node made by a function that {@link defineNode} returned. */
export interface DefinedNode<A, V> extends Node<V> {
  readonly argument: A;
}

/** A {@link DefinedNode} whose `load` returns no promise, so that `getSync` takes it. */
export interface SynchronousDefinedNode<A, V> extends DefinedNode<A, V> {
  load(context: LoadContext<V>): V;
}

/** Makes the nodes of a definition. It also stands for their class, such as in `stats`. */
export interface NodeFactory<Args extends readonly [unknown?], V, N extends Node<V> = DefinedNode<Args[0], V>>
  extends NodeClass<N> {
  (...args: Args): N;
}

/**
 * The factory of a definition. The nodes' value is the result of `load`, or of `loadAll` if there
 * is no `load`.
 */
export type FactoryOf<Args extends readonly [unknown?], Loaded, V> = unknown extends Loaded
  ? NodeFactory<Args, V>
  : Asynchronous<Loaded> extends true
    ? NodeFactory<Args, Awaited<Loaded>>
    : NodeFactory<Args, Awaited<Loaded>, SynchronousDefinedNode<Args[0], Awaited<Loaded>>>;

/**
 * Defines a kind of cached value without a class. The nodes take one argument, or none; if several
 * values tell them apart, pass an object. The value's type is the result of `load` or `loadAll`.
 *
 * Each call makes a definition of its own. If one space uses two definitions of one name, it
 * compares their sources, as it does with classes. If the sources are equal, they share their
 * entries, and each loads with its own functions. See {@link NodeMeta.name}.
 *
 * @throws ConfigurationError `CACHEME_INVALID_NODE` without a name or a key
 * @example
 * ```ts
 * const user = defineNode({
 *   name: "user",
 *   key: (id: number) => `${id}`,
 *   load: (id) => db.user(id),
 *   caches: [{ storage: "local", ttl: "30s" }],
 * });
 * const ada = await get(user(1));
 * ```
 */
export function defineNode<
  const Args extends readonly [unknown?],
  Loaded = unknown,
  V extends Awaited<Loaded> = Awaited<Loaded>,
>(definition: NodeDefinition<Args, Loaded, V>): FactoryOf<Args, Loaded, V> {
  const { name, key, load, loadAll, save, saveAll, tags, scope, dependsOn, related, ...policy } = definition;
  if (typeof name !== "string" || name === "" || typeof key !== "function") {
    throw new ConfigurationError(
      "CACHEME_INVALID_NODE",
      "defineNode needs a `name`, and a function `key` that returns a string, such as (id: number) => String(id).",
      { node: typeof name === "string" ? name : undefined },
    );
  }

  class Defined extends Node {
    readonly argument: Args[0];

    constructor(argument: Args[0]) {
      super();
      this.argument = argument;
    }

    key(): string {
      // A definition's key takes the arguments that its nodes were made with: one, or none.
      return key(...([this.argument] as unknown as Args));
    }
  }
  if (load !== undefined) {
    Defined.prototype.load = function (this: Defined, context) {
      return load(this.argument, context);
    };
  }

  if (save !== undefined) {
    Defined.prototype.save = function (this: Defined, value, context) {
      return save(this.argument, value as V, context); // The types of `save` took a V.
    };
  }

  if (tags !== undefined) {
    Defined.prototype.tags = function (this: Defined) {
      return tags(...([this.argument] as unknown as Args)); // As for the key.
    };
  }

  if (scope !== undefined) {
    Defined.prototype.scope = function (this: Defined) {
      return scope(...([this.argument] as unknown as Args));
    };
  }
  if (dependsOn !== undefined) {
    Defined.prototype.dependsOn = function (this: Defined) {
      return dependsOn(...([this.argument] as unknown as Args));
    };
  }
  if (related !== undefined) {
    Defined.prototype.related = function (this: Defined, value) {
      return related(this.argument, value as V); // As for `save`.
    };
  }

  const factory = (argument: Args[0]) => new Defined(argument);
  factory.prototype = Defined.prototype;
  Object.defineProperty(Defined.prototype, "constructor", { value: factory });
  Object.defineProperty(factory, "name", { value: name });
  Object.assign(factory, {
    meta: { name, ...policy },
    loadAll:
      loadAll &&
      ((nodes: readonly Defined[], context: LoadAllContext) =>
        loadAll(
          nodes.map((node) => node.argument),
          context,
        )),
    saveAll:
      saveAll &&
      ((entries: readonly { readonly node: Defined; readonly value: V }[], context: SaveContext) =>
        saveAll(
          entries.map(({ node, value }) => ({ argument: node.argument, value })),
          context,
        )),
  });
  Object.defineProperty(factory, definitionKey, { value: definition });
  return factory as unknown as FactoryOf<Args, Loaded, V>; // The code above made it to that shape.
}
