import {
  Cacheme,
  type CacheTier,
  defineNode,
  type Entry,
  get,
  getAll,
  invalidate,
  type LoadContext,
  memoize,
  Node,
  type NodeClass,
  nodes,
  peek,
  type Stats,
  set,
  stats,
  type UsedNode,
  type ValueOf,
} from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { ada, type PostsNode, type User, UserNode } from "./sample-nodes.js";

/**
 * The type of a second installed copy, as the compiler sees it: the same shape, of another
 * declaration.
 */
type Copy<T> = { [K in keyof T]: T[K] };

describe("NodeClass", () => {
  it("takes a class, even with a private constructor, abstract, generic or defined", () => {
    class Private extends Node<User> {
      private constructor() {
        super();
      }
      static of() {
        return new Private();
      }
      key() {
        return "";
      }
    }
    abstract class Abstract extends Node<User> {}
    class Generic<T> extends Node<T> {
      key() {
        return "";
      }
    }
    expectTypeOf(stats(UserNode)).toEqualTypeOf<Stats>();
    stats(Private);
    stats(Abstract);
    stats(Generic);
    stats(defineNode({ name: "any-class", key: () => "", load: () => 1 }));
    stats();
    expectTypeOf(Private).toExtend<NodeClass<Private>>();
    expectTypeOf(Private.of()).toExtend<Node<User>>();
  });

  it("refuses a class that is not a node's, and a node", () => {
    // @ts-expect-error a Date is no node
    stats(Date);
    // @ts-expect-error its class, not a node
    stats(new UserNode(1));
    // @ts-expect-error its class, not its name
    stats("user");
  });

  it("is the type of the answers of nodes", () => {
    expectTypeOf(nodes()).toEqualTypeOf<UsedNode[]>();
    for (const { nodeClass } of nodes()) expectTypeOf(stats(nodeClass).hitRate).toEqualTypeOf<number>();
  });
});

describe("Node", () => {
  it("cannot be made without a key", () => {
    // @ts-expect-error it is abstract
    new Node();
    // @ts-expect-error the key is missing
    class Keyless extends Node {}
    expectTypeOf(Keyless).toExtend<NodeClass>();
  });

  it("requires only a key of its subclasses, even with `override`", () => {
    expectTypeOf<keyof Node>().toEqualTypeOf<
      "~value" | "key" | "load" | "save" | "tags" | "scope" | "dependsOn" | "related"
    >();
  });

  it("does not take a node of another value for its own", () => {
    expectTypeOf<UserNode>().toExtend<Node<User>>();
    expectTypeOf<UserNode>().toExtend<Node>();
    expectTypeOf<UserNode>().not.toExtend<Node<string>>();
  });
});

describe("two copies of the package", () => {
  it("take each other's nodes, because nothing in a node is private to one copy", () => {
    expectTypeOf<Copy<Node<User>>>().toExtend<Node<User>>();
    expectTypeOf<Copy<Node>>().toExtend<Node>();
    expectTypeOf<Copy<UserNode>>().toExtend<UserNode>();
    const foreign = {} as Copy<UserNode>;
    const foreignPosts = {} as Copy<PostsNode>;
    expectTypeOf(get(foreign)).toEqualTypeOf<Promise<User>>();
    expectTypeOf<ValueOf<Copy<PostsNode>>>().toEqualTypeOf<ValueOf<PostsNode>>();
    expectTypeOf(getAll([foreign, foreignPosts, new UserNode(1)])).toEqualTypeOf<
      Promise<[User, ValueOf<PostsNode>, User]>
    >();
    void set(foreign, ada);
    void invalidate(foreign, foreignPosts);
    memoize(
      async () => ada,
      () => foreign,
    );
  });

  it("take each other's contexts, entries and tiers", () => {
    expectTypeOf<Copy<LoadContext<User>>>().toExtend<LoadContext<User>>();
    expectTypeOf<Copy<Entry<User>>>().toExtend<Entry<User>>();
    expectTypeOf<Copy<CacheTier>>().toExtend<CacheTier>();
    expectTypeOf<{ prototype: Copy<UserNode>; name: string }>().toExtend<NodeClass>();
  });
});

describe("the module's functions", () => {
  it("are typed as the methods of Cacheme", () => {
    const cacheme = new Cacheme({ prefix: "shop" });
    expectTypeOf(cacheme.get(new UserNode(1))).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get).toEqualTypeOf<Cacheme["get"]>();
    expectTypeOf(getAll).toEqualTypeOf<Cacheme["getAll"]>();
    expectTypeOf(peek).toEqualTypeOf<Cacheme["peek"]>();
    expectTypeOf(set).toEqualTypeOf<Cacheme["set"]>();
    expectTypeOf(memoize).toEqualTypeOf<Cacheme["memoize"]>();
  });

  it("can be disposed of with `await using`", () => {
    expectTypeOf(new Cacheme()).toExtend<AsyncDisposable>();
    expectTypeOf(new Cacheme().close()).toEqualTypeOf<Promise<void>>();
  });

  it("refuse an unknown setting", () => {
    // @ts-expect-error it is `prefix`
    new Cacheme({ prefixes: "shop" });
  });
});
