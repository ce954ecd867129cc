import { type Memoized, memoize, Node } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { ada, admin, BareNode, PostsNode, posts, type User, UserNode } from "./sample-nodes.js";

interface Docs {
  readonly page: { readonly title: string };
  readonly image: { readonly width: number };
}

class DocNode<K extends keyof Docs> extends Node<Docs[K]> {
  readonly kind: K;

  constructor(kind: K) {
    super();
    this.kind = kind;
  }

  key() {
    return this.kind;
  }
}

class NullableNode extends Node<User | null> {
  key() {
    return "";
  }
}

describe("memoize", () => {
  const find = async (_id: number) => ada;
  const fetchUser = memoize(find, (id) => new UserNode(id));

  it("keeps the parameters and the value's type", () => {
    expectTypeOf(fetchUser).parameters.toEqualTypeOf<[_id: number]>();
    expectTypeOf(fetchUser(1)).toEqualTypeOf<Promise<User>>();
    expectTypeOf(fetchUser).toExtend<(id: number) => Promise<User>>();
  });

  it("gives the node, the invalidation and the refresh for the same arguments", () => {
    expectTypeOf(fetchUser.node).parameters.toEqualTypeOf<[_id: number]>();
    expectTypeOf(fetchUser.node(1)).toEqualTypeOf<UserNode>();
    expectTypeOf(fetchUser.invalidate).parameters.toEqualTypeOf<[_id: number]>();
    expectTypeOf(fetchUser.invalidate(1)).toEqualTypeOf<Promise<void>>();
    expectTypeOf(fetchUser.refresh).parameters.toEqualTypeOf<[_id: number]>();
    expectTypeOf(fetchUser.refresh(1)).toEqualTypeOf<Promise<User>>();
  });

  it("refuses other arguments", () => {
    // @ts-expect-error a text is no number
    void fetchUser("1");
    // @ts-expect-error the id is missing
    void fetchUser();
    // @ts-expect-error a text is no number
    fetchUser.node("1");
    // @ts-expect-error the id is missing
    void fetchUser.invalidate();
    // @ts-expect-error a text is no number
    void fetchUser.refresh("1");
  });

  it("infers toNode's parameters from the function", () => {
    memoize(
      async (_id: number, _options?: { deep: boolean }) => ada,
      (id, options) => {
        expectTypeOf(id).toEqualTypeOf<number>();
        expectTypeOf(options).toEqualTypeOf<{ deep: boolean } | undefined>();
        return new UserNode(id);
      },
    );
  });

  it("takes a function that returns no promise, and answers a promise", () => {
    const read = memoize(
      (_id: number) => ada,
      (id) => new UserNode(id),
    );
    expectTypeOf(read(1)).toEqualTypeOf<Promise<User>>();
  });

  it("takes a toNode with fewer parameters", () => {
    const withSignal = memoize(
      async (_id: number, _signal: AbortSignal) => ada,
      (id) => new UserNode(id),
    );
    const withNone = memoize(
      async (_verbose: boolean) => ada,
      () => new UserNode(1),
    );
    expectTypeOf(withSignal).parameters.toEqualTypeOf<[_id: number, _signal: AbortSignal]>();
    expectTypeOf(withSignal.node).parameters.toEqualTypeOf<[_id: number, _signal: AbortSignal]>();
    expectTypeOf(withNone(true)).toEqualTypeOf<Promise<User>>();
    // @ts-expect-error the signal is missing
    void withSignal(1);
  });

  it("keeps optional and rest parameters", () => {
    const optional = memoize(
      async (_page?: number) => posts,
      (page = 1) => new PostsNode(page),
    );
    const rest = memoize(
      async (..._ids: number[]) => ada,
      (...ids) => new UserNode(ids.length),
    );
    expectTypeOf(optional).parameters.toEqualTypeOf<Parameters<(page?: number) => void>>();
    expectTypeOf(rest).parameters.toEqualTypeOf<number[]>();
    void optional();
    void rest(1, 2, 3);
  });

  it("takes the type of a parameter from its default", () => {
    const paged = memoize(
      async (_page = 1) => posts,
      (page = 1) => {
        expectTypeOf(page).toEqualTypeOf<number>();
        return new PostsNode(page);
      },
    );
    expectTypeOf(paged).parameters.toEqualTypeOf<Parameters<(page?: number) => void>>();
    void paged();
    // @ts-expect-error a string is no number
    void paged("1");
  });

  it("does not take the parameters from toNode", () => {
    const withSignal = memoize(
      async (_id: number, _signal: AbortSignal) => ada,
      (id: number) => new UserNode(id),
    );
    const wider = memoize(
      async (_id: number) => ada,
      (id: number | string) => new UserNode(Number(id)),
    );
    expectTypeOf(withSignal).parameters.toEqualTypeOf<[_id: number, _signal: AbortSignal]>();
    expectTypeOf(wider).parameters.toEqualTypeOf<[_id: number]>();
    const byEither = async (_id: number | string) => ada;
    const byOptional = async (_id?: number) => ada;
    // @ts-expect-error the id may be a string
    memoize(byEither, (id: number) => new UserNode(id));
    // @ts-expect-error the id may be missing
    memoize(byOptional, (id: number) => new UserNode(id));
  });

  it("keeps every overload", () => {
    function lookUp(id: number): Promise<User>;
    function lookUp(name: string, tenant: string): Promise<User>;
    async function lookUp(..._args: unknown[]): Promise<User> {
      return ada;
    }
    const found = memoize(lookUp, (idOrName, tenant) => {
      expectTypeOf(idOrName).toEqualTypeOf<number | string>();
      expectTypeOf(tenant).toEqualTypeOf<string | undefined>();
      return new UserNode(Number(idOrName));
    });
    for (const call of [found, found.refresh]) {
      expectTypeOf(call(1)).toEqualTypeOf<Promise<User>>();
      expectTypeOf(call("Ada", "acme")).toEqualTypeOf<Promise<User>>();
      // @ts-expect-error the tenant is missing
      void call("Ada");
    }
    expectTypeOf(found.node).parameters.toEqualTypeOf<[id: number] | [name: string, tenant: string]>();
    expectTypeOf(found.invalidate).parameters.toEqualTypeOf<[id: number] | [name: string, tenant: string]>();
    // @ts-expect-error the first parameter may be a number
    memoize(lookUp, (name: string) => new UserNode(name.length));
    // @ts-expect-error the tenant may be missing
    memoize(lookUp, (_idOrName, tenant: string) => new UserNode(tenant.length));
  });

  it("keeps every overload of a function whose results become promises", () => {
    function size(side: number): number;
    function size(width: string, height: string): string;
    function size(...sides: (number | string)[]): number | string {
      return sides.length;
    }
    const sized = memoize(size, () => new BareNode());
    expectTypeOf(sized(1)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(sized("1", "2")).toEqualTypeOf<Promise<string>>();
    // @ts-expect-error the height is missing
    void sized("1");
  });

  it("refuses a node that one of the overloads does not fit", () => {
    function lookUp(id: number): Promise<User>;
    function lookUp(name: string): Promise<User | null>;
    async function lookUp(_idOrName: unknown): Promise<User | null> {
      return null;
    }
    // @ts-expect-error the node holds no null
    memoize(lookUp, () => new UserNode(1));
    expectTypeOf(memoize(lookUp, () => new NullableNode())(1)).toEqualTypeOf<Promise<User | null>>();
  });

  it("keeps type parameters if the node's type agrees", () => {
    const load = async <K extends keyof Docs>(_kind: K): Promise<Docs[K]> => ({}) as Docs[K];
    const typed = memoize(load, (kind) => new DocNode(kind));
    const bare = memoize(load, () => new BareNode());
    expectTypeOf(typed("page")).toEqualTypeOf<Promise<Docs["page"]>>();
    expectTypeOf(typed.refresh("image")).toEqualTypeOf<Promise<Docs["image"]>>();
    expectTypeOf(bare("page")).toEqualTypeOf<Promise<Docs["page"]>>();
    expectTypeOf(typed.node).parameters.toEqualTypeOf<[_kind: keyof Docs]>();
    // @ts-expect-error there is no such kind
    void typed("film");
  });

  it("makes type parameters their constraints if the result becomes a promise", () => {
    const load = <K extends keyof Docs>(_kind: K): Docs[K] => ({}) as Docs[K];
    const found = memoize(load, (kind) => new DocNode(kind));
    expectTypeOf(found).parameters.toEqualTypeOf<[_kind: keyof Docs]>();
    expectTypeOf(found("page")).toEqualTypeOf<Promise<Docs[keyof Docs]>>();
  });

  it("takes a function of any type, and refuses anything else", () => {
    const parse = memoize(
      (text: string) => JSON.parse(text),
      () => new BareNode(),
    );
    expectTypeOf(parse("1")).resolves.toBeAny();
    // @ts-expect-error a number is no function
    memoize(1, () => new BareNode());
    // @ts-expect-error a class is called with new alone
    memoize(UserNode, () => new BareNode());
  });

  it("refuses a toNode that takes other parameters", () => {
    // @ts-expect-error the id is a number
    memoize(find, (id: string) => new UserNode(id.length));
    // @ts-expect-error there is no second parameter
    memoize(find, (id: number, _tenant: string) => new UserNode(id));
  });

  it("keeps the function's this", () => {
    class Users {
      readonly table = "users";
      find = memoize(
        async function (this: Users, _id: number) {
          expectTypeOf(this.table).toEqualTypeOf<string>();
          return ada;
        },
        (id) => new UserNode(id),
      );
    }
    const users = new Users();
    expectTypeOf(users.find).thisParameter.toEqualTypeOf<Users>();
    expectTypeOf(users.find(1)).toEqualTypeOf<Promise<User>>();
    expectTypeOf(users.find.refresh).thisParameter.toEqualTypeOf<Users>();
    const { find } = users;
    // @ts-expect-error it is called on nothing
    void find(1);
    expectTypeOf(find.node(1)).toEqualTypeOf<UserNode>();
    expectTypeOf(find.invalidate(1)).toEqualTypeOf<Promise<void>>();
  });

  it("refuses a node of another value", () => {
    const findOrNull = async (_id: number): Promise<User | null> => null;
    const forget = async (_id: number) => {};
    // @ts-expect-error the node holds posts
    memoize(find, (id) => new PostsNode(id));
    // @ts-expect-error the node holds no null
    memoize(findOrNull, (id) => new UserNode(id));
    // @ts-expect-error the function returns nothing
    memoize(forget, (id) => new UserNode(id));
    // @ts-expect-error toNode returns no node
    memoize(find, (id) => id);
  });

  it("answers with the node's type, because others may have stored the value", () => {
    const narrower = memoize(
      async () => admin,
      () => new UserNode(1),
    );
    const nullable = memoize(
      async () => ada,
      () => new NullableNode(),
    );
    expectTypeOf(narrower()).toEqualTypeOf<Promise<User>>();
    expectTypeOf(nullable()).toEqualTypeOf<Promise<User | null>>();
    expectTypeOf(nullable.refresh()).toEqualTypeOf<Promise<User | null>>();
  });

  it("answers with the function's type if the node declares none", () => {
    const bare = memoize(
      async (_id: number) => ada,
      () => new BareNode(),
    );
    expectTypeOf(bare(1)).toEqualTypeOf<Promise<User>>();
    expectTypeOf(bare.node(1)).toEqualTypeOf<BareNode>();
  });

  it("takes a toNode that chooses between classes that agree", () => {
    class CachedUserNode extends UserNode {
      readonly cached = true;
    }
    const chosen = memoize(
      async (_id: number) => ada,
      (id) => (id > 0 ? new UserNode(id) : new CachedUserNode(id)),
    );
    expectTypeOf(chosen(1)).toEqualTypeOf<Promise<User>>();
  });

  it("can be named by its type", () => {
    expectTypeOf(fetchUser).toEqualTypeOf<Memoized<typeof find, UserNode>>();
  });
});
