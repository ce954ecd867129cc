import { Node, set, setAll } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { ada, admin, BareNode, type Post, PostsNode, posts, type User, UserNode } from "./sample-nodes.js";

class NullableNode extends Node<User | null> {
  key() {
    return "";
  }
}

class NothingNode extends Node<undefined> {
  key() {
    return "";
  }
}

describe("set", () => {
  it("takes a value of the node's type", () => {
    expectTypeOf(set(new UserNode(1), ada)).toEqualTypeOf<Promise<void>>();
    void set(new UserNode(1), admin);
    void set(new PostsNode(1), posts, { ttl: "5m" });
    void set(new NullableNode(), null);
    void set(new NothingNode(), undefined);
  });

  it("takes anything if the node declares no type", () => {
    void set(new BareNode(), 1);
    void set(new BareNode(), undefined);
  });

  it("refuses a value of another type", () => {
    // @ts-expect-error a text is no User
    void set(new UserNode(1), "Ada");
    // @ts-expect-error null is no User
    void set(new UserNode(1), null);
    // @ts-expect-error posts are no User
    void set(new UserNode(1), posts);
    // @ts-expect-error a User lacks no id
    void set(new UserNode(1), { name: "Ada" });
    // @ts-expect-error a User has no age
    void set(new UserNode(1), { id: 1, name: "Ada", age: 36 });
    // @ts-expect-error the promise of a User is not a User
    void set(new UserNode(1), Promise.resolve(ada));
    // @ts-expect-error undefined is not null
    void set(new NullableNode(), undefined);
    // @ts-expect-error nor null undefined
    void set(new NothingNode(), null);
    // @ts-expect-error a load that tells the type counts as well
    void set(new PostsNode(1), ada);
  });

  it("refuses to be called without a value", () => {
    // @ts-expect-error the value is missing
    void set(new UserNode(1));
  });

  it("refuses an invalid ttl, and unknown options", () => {
    // @ts-expect-error "5 minutes" is no duration
    void set(new UserNode(1), ada, { ttl: "5 minutes" });
    // @ts-expect-error it is `ttl`
    void set(new UserNode(1), ada, { maxAge: "5m" });
  });
});

describe("setAll", () => {
  it("takes pairs of a node and its value, of any classes", () => {
    expectTypeOf(setAll([[new UserNode(1), ada]])).toEqualTypeOf<Promise<void>>();
    void setAll([
      [new UserNode(1), ada],
      [new PostsNode(1), []],
      [new NullableNode(), null],
      [new BareNode(), "anything"],
    ]);
    void setAll([], { ttl: 5_000 });
  });

  it("takes an array of pairs", () => {
    const users: readonly User[] = [ada];
    void setAll(users.map((user) => [new UserNode(user.id), user] as const));
    const pairs: [UserNode, User][] = [];
    void setAll(pairs);
    const readonlyPairs: readonly (readonly [PostsNode, Post[]])[] = [];
    void setAll(readonlyPairs);
    void setAll(users.map((user): [UserNode, User] => [new UserNode(user.id), user]));
  });

  it("refuses a wrong value", () => {
    // @ts-expect-error a text is no User
    void setAll([[new UserNode(1), "Ada"]]);
    // @ts-expect-error the value is missing
    void setAll([[new UserNode(1)]]);
    const pairs: [UserNode, Post[]][] = [];
    // @ts-expect-error posts are no User
    void setAll(pairs);
  });

  it("refuses one wrong value among right ones", () => {
    void setAll([
      [new UserNode(1), ada],
      // @ts-expect-error a User is no Post[]
      [new PostsNode(1), ada],
    ]);
  });

  it("refuses values in each other's places", () => {
    void setAll([
      // @ts-expect-error posts are no User
      [new UserNode(1), posts],
      // @ts-expect-error a User is no Post[]
      [new PostsNode(1), ada],
    ]);
  });
});
