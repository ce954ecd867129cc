import {
  type DefinedNode,
  defineNode,
  type Entry,
  get,
  getAll,
  type LoadContext,
  type Node,
  set,
  stats,
  type ValueOf,
} from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { ada, type Post, PostsNode, posts, type User, UserNode } from "./sample-nodes.js";

describe("defineNode without an argument", () => {
  const settings = defineNode({ name: "settings", key: () => "all", load: async () => ({ theme: "dark" }) });

  it("makes nodes of nothing", () => {
    expectTypeOf(get(settings())).toEqualTypeOf<Promise<{ theme: string }>>();
    expectTypeOf(settings).parameters.toEqualTypeOf<[]>();
  });

  it("refuses an argument", () => {
    // @ts-expect-error there is nothing to tell them apart
    settings(1);
  });
});

describe("defineNode with an argument", () => {
  const user = defineNode({
    name: "user",
    key: (id: number) => `${id}`,
    load: (id, context) => {
      expectTypeOf(id).toEqualTypeOf<number>();
      expectTypeOf(context).toEqualTypeOf<LoadContext>();
      expectTypeOf(context.previous).toEqualTypeOf<Entry | undefined>();
      return Promise.resolve(ada);
    },
    caches: [{ storage: "local", ttl: "30s" }],
  });

  it("takes the value's type from load", () => {
    expectTypeOf(get(user(1))).toEqualTypeOf<Promise<User>>();
    expectTypeOf<ValueOf<ReturnType<typeof user>>>().toEqualTypeOf<User>();
  });

  it("has the argument on a node", () => {
    expectTypeOf(user(1).argument).toEqualTypeOf<number>();
    expectTypeOf(user(1)).toExtend<DefinedNode<number, User>>();
    expectTypeOf(user(1)).toExtend<Node<User>>();
  });

  it("mixes with classes", () => {
    expectTypeOf(getAll([user(1), new PostsNode(1), new UserNode(1)])).toEqualTypeOf<
      Promise<[User, Post[], User]>
    >();
  });

  it("stands for its class in stats", () => {
    expectTypeOf(stats).toBeCallableWith(user);
  });

  it("refuses another argument, none, and a second", () => {
    // @ts-expect-error a text is no number
    user("1");
    // @ts-expect-error the argument is missing
    user();
    // @ts-expect-error one argument: give an object for several
    user(1, 2);
  });

  it("refuses a wrong value in set", () => {
    void set(user(1), ada);
    // @ts-expect-error posts are no User
    void set(user(1), posts);
  });

  it("keeps literal types that its key asks for", () => {
    const page = defineNode({
      name: "page",
      key: (language: "en" | "de") => language,
      load: async (language) => {
        expectTypeOf(language).toEqualTypeOf<"en" | "de">();
        return language.length;
      },
    });
    expectTypeOf(get(page("en"))).toEqualTypeOf<Promise<number>>();
    // @ts-expect-error there is no such language
    page("fr");
  });
});

describe("defineNode with an optional argument", () => {
  const list = defineNode({
    name: "list",
    key: (page?: number) => `${page ?? 1}`,
    load: async (page) => {
      expectTypeOf(page).toEqualTypeOf<number | undefined>();
      return posts;
    },
  });

  it("makes nodes with it and without", () => {
    expectTypeOf(get(list())).toEqualTypeOf<Promise<Post[]>>();
    expectTypeOf(get(list(2))).toEqualTypeOf<Promise<Post[]>>();
    expectTypeOf(list().argument).toEqualTypeOf<number | undefined>();
  });

  it("refuses another", () => {
    // @ts-expect-error a text is no number
    list("2");
  });
});

describe("defineNode with an object", () => {
  const search = defineNode({
    name: "search",
    key: ({ text, page }: { text: string; page?: number }) => `${text}/${page ?? 1}`,
    load: async ({ text, page }) => {
      expectTypeOf(text).toEqualTypeOf<string>();
      expectTypeOf(page).toEqualTypeOf<number | undefined>();
      return [text];
    },
  });

  it("takes its properties", () => {
    expectTypeOf(get(search({ text: "ada" }))).toEqualTypeOf<Promise<string[]>>();
    expectTypeOf(search({ text: "ada", page: 2 }).argument).toEqualTypeOf<{ text: string; page?: number }>();
  });

  it("refuses an object that lacks one or has another", () => {
    // @ts-expect-error `text` is missing
    search({ page: 2 });
    // @ts-expect-error it is `page`
    search({ text: "ada", pages: 2 });
  });
});

describe("defineNode with loadAll", () => {
  it("takes the value's type from it if there is no load", () => {
    const user = defineNode({
      name: "users-in-batches",
      key: (id: number) => `${id}`,
      loadAll: async (ids, context) => {
        expectTypeOf(ids).toEqualTypeOf<readonly number[]>();
        expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
        return ids.map((id) => ({ id, name: "Ada" }));
      },
    });
    expectTypeOf(get(user(1))).toEqualTypeOf<Promise<{ id: number; name: string }>>();
  });

  it("does not count the Errors among its answers as values", () => {
    const user = defineNode({
      name: "users-that-fail",
      key: (id: number) => `${id}`,
      loadAll: (ids) => ids.map((id) => (id > 0 ? ada : new Error("no such user"))),
    });
    expectTypeOf(get(user(1))).toEqualTypeOf<Promise<User>>();
  });

  it("keeps null", () => {
    const user = defineNode({
      name: "users-or-null",
      key: (id: number) => `${id}`,
      loadAll: async (ids): Promise<(User | null)[]> => ids.map(() => null),
    });
    expectTypeOf(get(user(1))).toEqualTypeOf<Promise<User | null>>();
  });

  it("agrees with load if there are both", () => {
    const user = defineNode({
      name: "users-both-ways",
      key: (id: number) => `${id}`,
      load: async () => ada,
      loadAll: async (ids) => ids.map(() => ada),
    });
    expectTypeOf(get(user(1))).toEqualTypeOf<Promise<User>>();
    defineNode({
      name: "two-ways",
      key: (id: number) => `${id}`,
      load: () => ada,
      // @ts-expect-error load gives a User
      loadAll: (ids) => ids.map(String),
    });
  });

  it("refuses a Map", () => {
    defineNode({
      name: "users-in-a-map",
      key: (id: number) => `${id}`,
      // @ts-expect-error a Map is not in the arguments' order
      loadAll: async (ids) => new Map(ids.map((id) => [id, ada])),
    });
  });
});

describe("defineNode without a load", () => {
  const draft = defineNode({ name: "draft", key: (id: string) => id });

  it("leaves the value's type to the override", () => {
    expectTypeOf(get(draft("a"))).toEqualTypeOf<Promise<unknown>>();
    expectTypeOf(get(draft("a"), { load: async () => posts })).toEqualTypeOf<Promise<Post[]>>();
  });
});

describe("defineNode's values at the edges", () => {
  it("may be nullable, void, undefined or any", () => {
    const nullable = defineNode({ name: "n", key: () => "", load: async (): Promise<User | null> => null });
    const nothing = defineNode({ name: "v", key: () => "", load: async () => {} });
    const undefinedOnly = defineNode({ name: "u", key: () => "", load: () => undefined });
    const parsed = defineNode({ name: "a", key: () => "", load: () => JSON.parse("1") });
    expectTypeOf(get(nullable())).toEqualTypeOf<Promise<User | null>>();
    expectTypeOf(get(nothing())).toEqualTypeOf<Promise<void>>();
    expectTypeOf(get(undefinedOnly())).toEqualTypeOf<Promise<undefined>>();
    expectTypeOf(get(parsed())).resolves.toBeAny();
  });

  it("may be a union of literals, and read itself if load's type is written", () => {
    const state = defineNode({ name: "s", key: () => "", load: async (): Promise<"on" | "off"> => "on" });
    expectTypeOf(get(state())).toEqualTypeOf<Promise<"on" | "off">>();
    const sum = defineNode({
      name: "sum",
      key: (n: number) => `${n}`,
      load: async (n): Promise<number> => (n === 0 ? 0 : n + (await get(sum(n - 1)))),
    });
    expectTypeOf(get(sum(3))).toEqualTypeOf<Promise<number>>();
  });
});

describe("defineNode refuses", () => {
  it("a missing name or key", () => {
    // @ts-expect-error the name is missing
    defineNode({ key: () => "", load: () => 1 });
    // @ts-expect-error the key is missing
    defineNode({ name: "keyless", load: () => 1 });
  });

  it("a key that does not return a string, or takes two arguments", () => {
    // @ts-expect-error a key is a text
    defineNode({ name: "number-key", key: (id: number) => id, load: () => 1 });
    // @ts-expect-error one argument: give an object for several
    defineNode({ name: "two-arguments", key: (a: number, b: number) => `${a}/${b}`, load: () => 1 });
  });

  it("a bad ttl and a typo", () => {
    // @ts-expect-error "soon" is no duration
    defineNode({ name: "soon", key: () => "", load: () => 1, caches: [{ storage: "local", ttl: "soon" }] });
    // @ts-expect-error it is `caches`
    defineNode({ name: "typo", key: () => "", load: () => 1, cache: [] });
  });
});
