import { type Entry, get, type LoadContext, type MaybePromise, Node, type ValueOf } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import {
  type Admin,
  ada,
  admin,
  BareNode,
  type Post,
  PostsNode,
  type User,
  UserNode,
} from "./sample-nodes.js";

type Any = ReturnType<typeof JSON.parse>;

describe("the value's type, if load declares it", () => {
  it("is the result of an async load", () => {
    class N extends Node {
      key() {
        return "";
      }
      override async load() {
        return { name: "Ada", born: 1815 };
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<{ name: string; born: number }>>();
    expectTypeOf<ValueOf<N>>().toEqualTypeOf<{ name: string; born: number }>();
  });

  it("is the result of a sync load", () => {
    class N extends Node {
      key() {
        return "";
      }
      override load() {
        return [1, "two"] as const;
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<readonly [1, "two"]>>();
  });

  it("is the same if load sometimes returns a promise", () => {
    class N extends Node {
      key() {
        return "";
      }
      override load(): MaybePromise<User> {
        return ada;
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<User>>();
  });

  it("keeps null and undefined", () => {
    class Nullable extends Node {
      key() {
        return "";
      }
      override async load(): Promise<User | null> {
        return null;
      }
    }
    class Optional extends Node {
      key() {
        return "";
      }
      override load(): User | undefined {
        return undefined;
      }
    }
    expectTypeOf(get(new Nullable())).toEqualTypeOf<Promise<User | null>>();
    expectTypeOf(get(new Optional())).toEqualTypeOf<Promise<User | undefined>>();
  });

  it("is found with a context parameter too", () => {
    class N extends Node {
      key() {
        return "";
      }
      override async load(context: LoadContext) {
        context.ttl("5m");
        return 1;
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<number>>();
  });

  it("follows a load that reads another node", () => {
    class N extends Node {
      key() {
        return "";
      }
      override async load() {
        const user = await get(new UserNode(1));
        return { name: user.name, posts: await get(new PostsNode(user.id)) };
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<{ name: string; posts: Post[] }>>();
  });
});

describe("the value's type, if the class declares it", () => {
  it("needs no load", () => {
    class N extends Node<User> {
      key() {
        return "";
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<User>>();
  });

  it("wins over a narrower load", () => {
    class N extends Node<User> {
      key() {
        return "";
      }
      override async load() {
        return admin;
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<User>>();
  });

  it("refuses a load of another type", () => {
    class N extends Node<User> {
      key() {
        return "";
      }
      // @ts-expect-error a Post[] is no User
      override async load(): Promise<Post[]> {
        return [];
      }
    }
    expectTypeOf(new N()).toExtend<Node>();
  });

  it("refuses a load that may be null if the declaration may not", () => {
    class N extends Node<User> {
      key() {
        return "";
      }
      // @ts-expect-error null is no User
      override async load(): Promise<User | null> {
        return null;
      }
    }
    expectTypeOf(new N()).toExtend<Node>();
  });

  it("gives the context its previous value", () => {
    class N extends Node<User> {
      key() {
        return "";
      }
      override load(context: LoadContext<User>) {
        expectTypeOf(context.previous).toEqualTypeOf<Entry<User> | undefined>();
        expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
        return context.previous?.value ?? ada;
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<User>>();
  });
});

describe("the value's type of a generic class", () => {
  class Row<T> extends Node<T> {
    readonly parse: (text: string) => T;

    constructor(parse: (text: string) => T) {
      super();
      this.parse = parse;
    }

    key() {
      return "";
    }

    override async load() {
      return this.parse("");
    }
  }

  class Made<T> extends Node {
    readonly make: () => T;

    constructor(make: () => T) {
      super();
      this.make = make;
    }

    key() {
      return "";
    }

    override load() {
      return this.make();
    }
  }

  it("is that of the instance, declared", () => {
    expectTypeOf(get(new Row((text) => text.length))).toEqualTypeOf<Promise<number>>();
    expectTypeOf(get(new Row<User | null>(() => ada))).toEqualTypeOf<Promise<User | null>>();
  });

  it("is that of the instance, inferred", () => {
    expectTypeOf(get(new Made(() => ada))).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new Made(async () => ada))).toEqualTypeOf<Promise<User>>();
  });

  it("passes through a caller's own generic function", () => {
    async function read<N extends Node>(node: N): Promise<ValueOf<N>> {
      return get(node);
    }
    function readWithin<N extends Node>(node: N): Promise<ValueOf<N>> {
      return get(node, { maxAge: "5s" });
    }
    expectTypeOf(read(new UserNode(1))).toEqualTypeOf<Promise<User>>();
    expectTypeOf(readWithin(new PostsNode(1))).toEqualTypeOf<Promise<Post[]>>();
  });

  it("passes through a caller's function that is generic in the value", () => {
    function read<V>(node: Node<V>): Promise<V> {
      return get(new Row<V>(() => node["~value"]));
    }
    expectTypeOf(read(new UserNode(1))).toEqualTypeOf<Promise<User>>();
  });
});

describe("the value's type of a class that inherits", () => {
  it("is the parent's", () => {
    class FastUserNode extends UserNode {}
    class FastPostsNode extends PostsNode {}
    expectTypeOf(get(new FastUserNode(1))).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new FastPostsNode(1))).toEqualTypeOf<Promise<Post[]>>();
  });

  it("follows a narrower load if nothing was declared", () => {
    class People extends Node {
      key() {
        return "";
      }
      override async load(): Promise<User> {
        return ada;
      }
    }
    class Admins extends People {
      override async load(): Promise<Admin> {
        return admin;
      }
    }
    expectTypeOf(get(new Admins())).toEqualTypeOf<Promise<Admin>>();
  });

  it("is that of an abstract base with a parameter", () => {
    abstract class Table<Row> extends Node<Row[]> {
      key() {
        return "";
      }
      abstract override load(): Promise<Row[]>;
    }
    class Users extends Table<User> {
      override async load() {
        return [ada];
      }
    }
    expectTypeOf(get(new Users())).toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(get({} as Table<Post>)).toEqualTypeOf<Promise<Post[]>>();
  });
});

describe("the value's type of a node that reads itself", () => {
  it("is the declared type", () => {
    class Fibonacci extends Node<number> {
      constructor(readonly n: number) {
        super();
      }

      key() {
        return `${this.n}`;
      }

      override async load() {
        if (this.n < 2) return this.n;
        return (await get(new Fibonacci(this.n - 1))) + (await get(new Fibonacci(this.n - 2)));
      }
    }
    expectTypeOf(get(new Fibonacci(9))).toEqualTypeOf<Promise<number>>();
  });

  it("is the declared type of each if two read each other", () => {
    class Folder extends Node<{ size: number }> {
      key() {
        return "";
      }
      override async load() {
        return { size: (await get(new File())).bytes };
      }
    }
    class File extends Node<{ bytes: number }> {
      key() {
        return "";
      }
      override async load() {
        return { bytes: (await get(new Folder())).size };
      }
    }
    expectTypeOf(get(new Folder())).toEqualTypeOf<Promise<{ size: number }>>();
    expectTypeOf(get(new File())).toEqualTypeOf<Promise<{ bytes: number }>>();
  });

  it("is refused if nothing declares it", () => {
    class Endless extends Node {
      key() {
        return "";
      }
      // @ts-expect-error its type would depend on itself
      override async load() {
        return get(new Endless());
      }
    }
    expectTypeOf(new Endless()).toExtend<Node>();
  });
});

describe("the value's type at the edges", () => {
  it("is unknown if neither load nor the class declares it", () => {
    expectTypeOf(get(new BareNode())).toEqualTypeOf<Promise<unknown>>();
    expectTypeOf(get({} as Node)).toEqualTypeOf<Promise<unknown>>();
  });

  it("is unknown if load says so", () => {
    class N extends Node {
      key() {
        return "";
      }
      override async load(): Promise<unknown> {
        return 1;
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<unknown>>();
  });

  it("is the union of the nodes' values for a union of nodes", () => {
    expectTypeOf(get({} as UserNode | PostsNode)).toEqualTypeOf<Promise<User | Post[]>>();
    expectTypeOf<ValueOf<UserNode | PostsNode | BareNode>>().toEqualTypeOf<unknown>();
  });

  it("is the union that a class declares or a load returns", () => {
    class Declared extends Node<"on" | "off"> {
      key() {
        return "";
      }
      override load() {
        return "on" as const;
      }
    }
    class Inferred extends Node {
      key() {
        return "";
      }
      override load(): Promise<1> | Promise<"one"> {
        return Promise.resolve<1>(1);
      }
    }
    class Either extends Node {
      key() {
        return "";
      }
      override load(): Promise<User> | null {
        return null;
      }
    }
    expectTypeOf(get(new Declared())).toEqualTypeOf<Promise<"on" | "off">>();
    expectTypeOf(get(new Inferred())).toEqualTypeOf<Promise<1 | "one">>();
    expectTypeOf(get(new Either())).toEqualTypeOf<Promise<User | null>>();
  });

  it("is boolean, not its halves", () => {
    class N extends Node<boolean> {
      key() {
        return "";
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<boolean>>();
  });

  it("is any if load returns any", () => {
    class Loaded extends Node {
      key() {
        return "";
      }
      override load() {
        return JSON.parse("1");
      }
    }
    class Declared extends Node<Any> {
      key() {
        return "";
      }
    }
    expectTypeOf(get(new Loaded())).resolves.toBeAny();
    expectTypeOf(get(new Declared())).resolves.toBeAny();
  });

  it("is void or undefined if load returns nothing", () => {
    class Nothing extends Node {
      key() {
        return "";
      }
      override async load() {}
    }
    class DeclaredNothing extends Node<void> {
      key() {
        return "";
      }
      override load() {}
    }
    class Undefined extends Node {
      key() {
        return "";
      }
      override async load() {
        return undefined;
      }
    }
    class DeclaredUndefined extends Node<undefined> {
      key() {
        return "";
      }
    }
    expectTypeOf(get(new Nothing())).toEqualTypeOf<Promise<void>>();
    expectTypeOf(get(new DeclaredNothing())).toEqualTypeOf<Promise<void>>();
    expectTypeOf(get(new Undefined())).toEqualTypeOf<Promise<undefined>>();
    expectTypeOf(get(new DeclaredUndefined())).toEqualTypeOf<Promise<undefined>>();
  });

  it("is never if load only throws", () => {
    class N extends Node {
      key() {
        return "";
      }
      override load(): never {
        throw new Error("not built");
      }
    }
    expectTypeOf(get(new N())).toEqualTypeOf<Promise<never>>();
  });
});

describe("get", () => {
  it("is not changed by reading options", () => {
    const { signal } = new AbortController();
    expectTypeOf(get(new UserNode(1), {})).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new UserNode(1), undefined)).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new PostsNode(1), { signal, maxAge: "5s", fresh: true })).toEqualTypeOf<
      Promise<Post[]>
    >();
    expectTypeOf(get(new BareNode(), { signal: undefined, maxAge: undefined })).toEqualTypeOf<
      Promise<unknown>
    >();
  });

  it("refuses anything but a node, and unknown options", () => {
    // @ts-expect-error a number is no node
    void get(1);
    // @ts-expect-error a class is no node
    void get(UserNode);
    // @ts-expect-error it is `fresh`
    void get(new UserNode(1), { refresh: true });
    // @ts-expect-error "5 seconds" is no duration
    void get(new UserNode(1), { maxAge: "5 seconds" });
  });

  it("refuses a node whose key is not a string", () => {
    class N extends Node {
      // @ts-expect-error a key is a text
      key() {
        return 1;
      }
    }
    expectTypeOf(new N()).toBeObject();
  });
});
