import { type Entry, Node, peek, peekLocal } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { BareNode, type Post, PostsNode, type User, UserNode } from "./sample-nodes.js";

describe("peek and peekLocal", () => {
  it("answer an entry of the node's value, or undefined", () => {
    expectTypeOf(peek(new UserNode(1))).toEqualTypeOf<Promise<Entry<User> | undefined>>();
    expectTypeOf(peekLocal(new UserNode(1))).toEqualTypeOf<Entry<User> | undefined>();
    expectTypeOf(peek(new PostsNode(1))).toEqualTypeOf<Promise<Entry<Post[]> | undefined>>();
    expectTypeOf(peekLocal(new BareNode())).toEqualTypeOf<Entry<unknown> | undefined>();
  });

  it("tell a miss from a cached undefined", async () => {
    class N extends Node<undefined> {
      key() {
        return "";
      }
    }
    const entry = await peek(new N());
    expectTypeOf(entry).toEqualTypeOf<Entry<undefined> | undefined>();
    if (entry !== undefined) expectTypeOf(entry.value).toEqualTypeOf<undefined>();
    // @ts-expect-error it may be a miss
    peekLocal(new N()).value;
  });

  it("have the value's times, its storage and the storage's details", () => {
    const entry = {} as Entry<User>;
    expectTypeOf(entry.value).toEqualTypeOf<User>();
    expectTypeOf(entry.origin).toEqualTypeOf<string>();
    expectTypeOf(entry.writtenAt).toEqualTypeOf<number>();
    expectTypeOf(entry.freshUntil).toEqualTypeOf<number>();
    expectTypeOf(entry.ttl).toEqualTypeOf<number>();
    expectTypeOf(entry.size).toEqualTypeOf<number | undefined>();
    expectTypeOf(entry.hits).toEqualTypeOf<number | undefined>();
  });

  it("do not let an entry be changed", () => {
    const entry = {} as Entry<User>;
    // @ts-expect-error use set
    entry.value = { id: 2, name: "Grace" };
  });
});
