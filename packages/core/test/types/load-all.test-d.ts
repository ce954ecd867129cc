import {
  getAll,
  type LoadAll,
  type LoadAllContext,
  type LoadContext,
  type MaybePromise,
  Node,
  type ValueOf,
} from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { ada, type Post, type PostsNode, type User, type UserNode } from "./sample-nodes.js";

describe("LoadAll", () => {
  it("takes nodes and answers a value or an Error for each", () => {
    expectTypeOf<LoadAll<UserNode>>().parameters.toEqualTypeOf<[readonly UserNode[], LoadAllContext]>();
    expectTypeOf<LoadAll<UserNode>>().returns.toEqualTypeOf<MaybePromise<readonly (User | Error)[]>>();
    expectTypeOf<LoadAll<PostsNode>>().returns.toEqualTypeOf<MaybePromise<readonly (Post[] | Error)[]>>();
  });

  it("infers the parameters of an arrow function in a class", () => {
    class N extends Node<User> {
      static override loadAll: LoadAll<N> = (nodes, context) => {
        expectTypeOf(nodes).toEqualTypeOf<readonly N[]>();
        expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
        return nodes.map((node) => {
          expectTypeOf(context.for(node)).toEqualTypeOf<LoadContext<User>>();
          context.for(node).ttl("1h");
          return { id: node.id, name: "Ada" };
        });
      };
      readonly id = 1;
      key() {
        return `${this.id}`;
      }
    }
    expectTypeOf(getAll([new N()])).toEqualTypeOf<Promise<[User]>>();
  });

  it("takes promises, readonly arrays and Errors in between", () => {
    const results: LoadAll<UserNode>[] = [
      (nodes) => nodes.map(() => ada),
      async (nodes) => nodes.map((node) => (node.id > 0 ? ada : new RangeError("no such user"))),
      async (): Promise<readonly User[]> => [ada],
    ];
    expectTypeOf(results).toExtend<unknown[]>();
  });

  it("checks against the result of load if the class declares nothing", () => {
    class N extends Node {
      static override loadAll: LoadAll<N> = async (nodes) => nodes.map(() => 1);
      key() {
        return "";
      }
      override async load() {
        return 1;
      }
    }
    class Wrong extends Node {
      // @ts-expect-error load returns a number
      static override loadAll: LoadAll<Wrong> = async (nodes) => nodes.map(() => "one");
      key() {
        return "";
      }
      override async load() {
        return 1;
      }
    }
    expectTypeOf<ValueOf<N>>().toEqualTypeOf<number>();
    expectTypeOf<ValueOf<Wrong>>().toEqualTypeOf<number>();
  });

  it("refuses a wrong element", () => {
    // @ts-expect-error an id is no User
    const ids: LoadAll<UserNode> = (nodes) => nodes.map((node) => node.id);
    // @ts-expect-error also in a promise
    const later: LoadAll<UserNode> = async (nodes) => nodes.map((node) => node.id);
    // @ts-expect-error a hole is no User: say so by an Error, or declare `Node<User | undefined>`
    const holes: LoadAll<UserNode> = async (): Promise<(User | undefined)[]> => [undefined];
    expectTypeOf([ids, later, holes]).toExtend<unknown[]>();
  });

  it("refuses a Map, a single value and a list of promises", () => {
    // @ts-expect-error a Map is not in the nodes' order
    const map: LoadAll<UserNode> = (nodes) => new Map(nodes.map((node) => [node.id, ada]));
    // @ts-expect-error also in a promise
    const later: LoadAll<UserNode> = async (nodes) => new Map(nodes.map((node) => [node.id, ada]));
    // @ts-expect-error one value is no list
    const one: LoadAll<UserNode> = () => ada;
    // @ts-expect-error wait for them with Promise.all
    const promises: LoadAll<UserNode> = (nodes) => nodes.map(async () => ada);
    expectTypeOf([map, later, one, promises]).toExtend<unknown[]>();
  });

  it("takes undefined and null if they are values", () => {
    class N extends Node<User | null | undefined> {
      static override loadAll: LoadAll<N> = async () => [null, undefined, ada];
      key() {
        return "";
      }
    }
    expectTypeOf(new N()).toExtend<Node>();
  });

  it("works in a class with a private constructor", () => {
    class N extends Node<User> {
      static override loadAll: LoadAll<N> = async (nodes) => nodes.map((node) => ({ id: node.id, name: "" }));
      readonly id: number;

      private constructor(id: number) {
        super();
        this.id = id;
      }

      static of(id: number) {
        return new N(id);
      }

      key() {
        return `${this.id}`;
      }
    }
    expectTypeOf(getAll([N.of(1)])).toEqualTypeOf<Promise<[User]>>();
  });

  it("works in a generic class", () => {
    class Row<T extends { id: number }> extends Node<T> {
      static override loadAll: LoadAll<Row<{ id: number }>> = async (nodes) =>
        nodes.map((node) => ({ id: node.id }));

      constructor(readonly id: number) {
        super();
      }

      key() {
        return `${this.id}`;
      }
    }
    expectTypeOf(getAll([new Row<User>(1)])).toEqualTypeOf<Promise<[User]>>();
    expectTypeOf<LoadAll<Row<User>>>().returns.toEqualTypeOf<MaybePromise<readonly (User | Error)[]>>();
  });

  it("is inherited, and may be overridden", () => {
    class Base extends Node<User> {
      static override loadAll: LoadAll<Base> = (nodes) => nodes.map(() => ada);
      key() {
        return "";
      }
    }
    class Inherits extends Base {
      readonly more = 1;
    }
    class Overrides extends Base {
      static override loadAll: LoadAll<Base> = async (nodes) =>
        nodes.map((node) => ({ id: 1, name: node.key() }));
      readonly more = 1;
    }
    expectTypeOf<typeof Inherits.loadAll>().toEqualTypeOf<LoadAll<Base>>();
    expectTypeOf(getAll([new Inherits(), new Overrides()])).toEqualTypeOf<Promise<[User, User]>>();
  });
});

describe("a loadAll without an annotation", () => {
  it("must at least return a list", () => {
    class N extends Node<User> {
      static override loadAll(nodes: readonly N[]) {
        return nodes.map(() => ada);
      }
      key() {
        return "";
      }
    }
    // @ts-expect-error a Map is no list
    class Wrong extends Node<User> {
      static override loadAll(nodes: readonly Wrong[]) {
        return new Map(nodes.map((node) => [node.key(), ada]));
      }
      key() {
        return "";
      }
    }
    expectTypeOf([new N(), new Wrong()]).toExtend<Node[]>();
  });
});
