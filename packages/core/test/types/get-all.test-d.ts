import { getAll, getAllSettled, type Node } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { BareNode, type Post, PostsNode, type User, UserNode } from "./sample-nodes.js";

const ids: readonly number[] = [1, 2];

describe("getAll", () => {
  it("answers a tuple for a literal list, place by place", () => {
    expectTypeOf(getAll([new UserNode(1), new PostsNode(1)])).toEqualTypeOf<Promise<[User, Post[]]>>();
    expectTypeOf(getAll([new UserNode(1)])).toEqualTypeOf<Promise<[User]>>();
    expectTypeOf(getAll([])).toEqualTypeOf<Promise<[]>>();
  });

  it("can be taken apart at once", async () => {
    const [user, posts, bare] = await getAll([new UserNode(1), new PostsNode(1), new BareNode()]);
    expectTypeOf(user).toEqualTypeOf<User>();
    expectTypeOf(posts).toEqualTypeOf<Post[]>();
    expectTypeOf(bare).toEqualTypeOf<unknown>();
  });

  it("answers a tuple that can be written to for a readonly one", () => {
    const nodes = [new UserNode(1), new PostsNode(1)] as const;
    expectTypeOf(getAll(nodes)).toEqualTypeOf<Promise<[User, Post[]]>>();
  });

  it("answers an array for an array", () => {
    expectTypeOf(getAll(ids.map((id) => new UserNode(id)))).toEqualTypeOf<Promise<User[]>>();
    expectTypeOf(getAll({} as readonly PostsNode[])).toEqualTypeOf<Promise<Post[][]>>();
    expectTypeOf(getAll({} as Node[])).toEqualTypeOf<Promise<unknown[]>>();
  });

  it("answers the union of the values for an array of mixed nodes", () => {
    expectTypeOf(getAll({} as (UserNode | PostsNode)[])).toEqualTypeOf<Promise<(User | Post[])[]>>();
  });

  it("keeps the places of a list that ends in an array", () => {
    const rest = ids.map((id) => new PostsNode(id));
    expectTypeOf(getAll([new UserNode(1), ...rest])).toEqualTypeOf<Promise<[User, ...Post[][]]>>();
  });

  it("passes through a caller's own generic function", () => {
    const readAll = <const Ns extends readonly Node[]>(nodes: Ns) => getAll(nodes);
    expectTypeOf(readAll([new UserNode(1), new PostsNode(1)])).toEqualTypeOf<Promise<[User, Post[]]>>();
  });

  it("is not changed by reading options", () => {
    const { signal } = new AbortController();
    expectTypeOf(getAll([new UserNode(1)], { signal, maxAge: 5_000 })).toEqualTypeOf<Promise<[User]>>();
  });

  it("refuses anything but a list of nodes", () => {
    // @ts-expect-error the second is no node
    void getAll([new UserNode(1), 2]);
    // @ts-expect-error a list, not nodes one after the other
    void getAll(new UserNode(1), new UserNode(2));
    // @ts-expect-error a set is no list
    void getAll(new Set([new UserNode(1)]));
    // @ts-expect-error one load cannot stand for all
    void getAll([new UserNode(1)], { load: () => ({ id: 1, name: "Ada" }) });
  });
});

describe("getAllSettled", () => {
  it("answers an outcome for each place", () => {
    expectTypeOf(getAllSettled([new UserNode(1), new PostsNode(1)])).toEqualTypeOf<
      Promise<[PromiseSettledResult<User>, PromiseSettledResult<Post[]>]>
    >();
  });

  it("answers an array for an array, even a readonly one", () => {
    const nodes: readonly UserNode[] = ids.map((id) => new UserNode(id));
    expectTypeOf(getAllSettled(nodes)).toEqualTypeOf<Promise<PromiseSettledResult<User>[]>>();
  });

  it("keeps the values of mixed nodes", async () => {
    for (const outcome of await getAllSettled({} as (UserNode | PostsNode)[])) {
      if (outcome.status === "fulfilled") expectTypeOf(outcome.value).toEqualTypeOf<User | Post[]>();
    }
  });

  it("refuses anything but a list of nodes", () => {
    // @ts-expect-error the second is no node
    void getAllSettled([new UserNode(1), 2]);
  });
});
