import { defineNode, getSync, type MaybePromise, memoizeSync, Node, peekLocal } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { ada, BareNode, PostsNode, TemplateNode, type User, UserNode } from "./sample-nodes.js";

class MaybeNode extends Node {
  key() {
    return "";
  }
  override load(): MaybePromise<User> {
    return ada;
  }
}

describe("getSync", () => {
  it("answers the value of a node whose load returns no promise", () => {
    expectTypeOf(getSync(new TemplateNode())).toEqualTypeOf<{ readonly source: string }>();
  });

  it("answers a declared value, null, undefined and any", () => {
    class Declared extends Node<User> {
      key() {
        return "";
      }
      override load() {
        return ada;
      }
    }
    class Nullable extends Node {
      key() {
        return "";
      }
      override load(): User | null | undefined {
        return null;
      }
    }
    class Parsed extends Node {
      key() {
        return "";
      }
      override load() {
        return JSON.parse("1");
      }
    }
    expectTypeOf(getSync(new Declared())).toEqualTypeOf<User>();
    expectTypeOf(getSync(new Nullable())).toEqualTypeOf<User | null | undefined>();
    expectTypeOf(getSync(new Parsed())).toBeAny();
  });

  it("answers the value of a defined node whose load returns no promise", () => {
    const template = defineNode({
      name: "template",
      key: (name: string) => name,
      load: (name) => ({ source: name }),
    });
    expectTypeOf(getSync(template("welcome"))).toEqualTypeOf<{ source: string }>();
  });

  it("refuses a node whose load returns a promise, or may", () => {
    // @ts-expect-error its load is async
    getSync(new UserNode(1));
    // @ts-expect-error its load is async
    getSync(new PostsNode(1));
    // @ts-expect-error its load may return a promise
    getSync(new MaybeNode());
    // @ts-expect-error one of them has an async load
    getSync({} as TemplateNode | UserNode);
  });

  it("refuses a defined node whose load returns a promise, or that has none", () => {
    const user = defineNode({ name: "async-user", key: (id: number) => `${id}`, load: async () => ada });
    const batched = defineNode({
      name: "batched-user",
      key: (id: number) => `${id}`,
      loadAll: (ids) => ids.map(() => ada),
    });
    const draft = defineNode({ name: "sync-draft", key: (id: string) => id });
    // @ts-expect-error its load is async
    getSync(user(1));
    // @ts-expect-error it has a loadAll only
    getSync(batched(1));
    // @ts-expect-error it has no load
    getSync(draft("a"));
  });

  it("refuses a node without a load", () => {
    // @ts-expect-error nothing would load it
    getSync(new BareNode());
    // @ts-expect-error nothing is known of it
    getSync({} as Node<User>);
  });

  it("takes an override that returns no promise, for any node", () => {
    expectTypeOf(getSync(new UserNode(1), { load: () => ada })).toEqualTypeOf<User>();
    expectTypeOf(getSync(new BareNode(), { load: () => 1 })).toEqualTypeOf<number>();
  });

  it("refuses an override that returns a promise, may, or disagrees", () => {
    // @ts-expect-error it is async
    getSync(new UserNode(1), { load: async () => ada });
    // @ts-expect-error it is async
    getSync(new BareNode(), { load: async () => ada });
    // @ts-expect-error it may return a promise
    getSync(new BareNode(), { load: (): MaybePromise<User> => ada });
    // @ts-expect-error a number is no User
    getSync(new UserNode(1), { load: () => 1 });
  });
});

describe("memoizeSync", () => {
  it("keeps the parameters, the value's type and this", () => {
    const compile = memoizeSync(
      (source: string) => ({ source }),
      () => new TemplateNode(),
    );
    expectTypeOf(compile).parameters.toEqualTypeOf<[source: string]>();
    expectTypeOf(compile("a")).toEqualTypeOf<{ readonly source: string }>();
    expectTypeOf(compile.node("a")).toEqualTypeOf<TemplateNode>();
    expectTypeOf(compile.invalidate("a")).toEqualTypeOf<Promise<void>>();

    const bound = memoizeSync(
      function (this: { root: string }, name: string) {
        return this.root + name;
      },
      () => new BareNode(),
    );
    expectTypeOf(bound).thisParameter.toEqualTypeOf<{ root: string }>();
    expectTypeOf(bound.call({ root: "/" }, "a")).toEqualTypeOf<string>();
  });

  it("keeps defaults, overloads and type parameters", () => {
    function size(side: number): number;
    function size(width: string, height: string): string;
    function size(...sides: (number | string)[]): number | string {
      return sides.length;
    }
    const paged = memoizeSync(
      (page = 1) => page * 10,
      (_page = 1) => new BareNode(),
    );
    const sized = memoizeSync(size, () => new BareNode());
    const wrapped = memoizeSync(
      <T>(value: T) => ({ value }),
      () => new BareNode(),
    );
    expectTypeOf(paged).parameters.toEqualTypeOf<Parameters<(page?: number) => void>>();
    expectTypeOf(sized(1)).toEqualTypeOf<number>();
    expectTypeOf(sized("1", "2")).toEqualTypeOf<string>();
    expectTypeOf(wrapped(1)).toEqualTypeOf<{ value: number }>();
    // @ts-expect-error the height is missing
    sized("1");
  });

  it("refuses a function if one overload returns a promise", () => {
    function size(side: number): Promise<number>;
    function size(width: string, height: string): string;
    function size(..._sides: (number | string)[]): string | Promise<number> {
      return "";
    }
    // @ts-expect-error one overload returns a promise
    memoizeSync(size, () => new BareNode());
  });

  it("refuses a function that returns a promise, or may", () => {
    const find = async (_id: number) => ada;
    const maybeFind = (_id: number): MaybePromise<User> => ada;
    // @ts-expect-error it is async
    memoizeSync(find, () => new UserNode(1));
    // @ts-expect-error it is async, whatever the node
    memoizeSync(find, () => new BareNode());
    // @ts-expect-error it may return a promise
    memoizeSync(maybeFind, () => new UserNode(1));
  });

  it("refuses a node of another value", () => {
    const find = (_id: number) => ada;
    const findOrNull = (_id: number): User | null => null;
    // @ts-expect-error the node holds posts
    memoizeSync(find, () => new PostsNode(1));
    // @ts-expect-error the node holds no null
    memoizeSync(findOrNull, () => new UserNode(1));
  });

  it("has no refresh, which would be asynchronous", () => {
    const read = memoizeSync(
      () => ada,
      () => new UserNode(1),
    );
    expectTypeOf(read()).toEqualTypeOf<User>();
    expectTypeOf(read).not.toHaveProperty("refresh");
  });
});

describe("peekLocal", () => {
  it("exists for every node, whatever its load", () => {
    expectTypeOf(peekLocal(new UserNode(1))?.value).toEqualTypeOf<User | undefined>();
  });
});
