import { type Entry, get, refresh } from "cacheme";
import { describe, expectTypeOf, it } from "vitest";
import { ada, admin, BareNode, type User, UserNode } from "./sample-nodes.js";

describe("the load override", () => {
  it("may agree with the node, with a promise or without", () => {
    expectTypeOf(get(new UserNode(1), { load: async () => ada })).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new UserNode(1), { load: () => ada })).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new UserNode(1), { load: () => ({ id: 1, name: "Ada" }) })).toEqualTypeOf<
      Promise<User>
    >();
  });

  it("does not narrow the answer, which may come from a tier or another reader", () => {
    expectTypeOf(get(new UserNode(1), { load: async () => admin })).toEqualTypeOf<Promise<User>>();
  });

  it("gets the node's context", () => {
    void get(new UserNode(1), {
      load: (context) => {
        expectTypeOf(context.previous).toEqualTypeOf<Entry<User> | undefined>();
        return context.previous?.value ?? ada;
      },
    });
  });

  it("is refused if it disagrees", () => {
    // @ts-expect-error a number is no User
    void get(new UserNode(1), { load: () => 1 });
    // @ts-expect-error a promise of a number neither
    void get(new UserNode(1), { load: async () => 1 });
    // @ts-expect-error null is no User
    void get(new UserNode(1), { load: async (): Promise<User | null> => null });
    // @ts-expect-error nothing is no User
    void get(new UserNode(1), { load: () => {} });
    // @ts-expect-error a load is a function
    void get(new UserNode(1), { load: ada });
  });

  it("gives the value's type if the node does not", () => {
    expectTypeOf(get(new BareNode(), { load: () => 1 })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(get(new BareNode(), { load: async () => ada })).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new BareNode(), { load: async () => ada, maxAge: "5s" })).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new BareNode(), { load: async (): Promise<User | null> => null })).toEqualTypeOf<
      Promise<User | null>
    >();
  });

  it("may be left out by undefined", () => {
    expectTypeOf(get(new UserNode(1), { load: undefined })).toEqualTypeOf<Promise<User>>();
    expectTypeOf(get(new BareNode(), { load: undefined })).toEqualTypeOf<Promise<unknown>>();
  });

  it("may be optional", () => {
    const options: { load?: () => Promise<User> } = {};
    expectTypeOf(get(new UserNode(1), options)).toEqualTypeOf<Promise<User>>();
  });
});

describe("refresh", () => {
  it("answers the node's type, with and without an override", () => {
    expectTypeOf(refresh(new UserNode(1))).toEqualTypeOf<Promise<User>>();
    expectTypeOf(refresh(new UserNode(1), { load: async () => ada })).toEqualTypeOf<Promise<User>>();
    expectTypeOf(refresh(new BareNode())).toEqualTypeOf<Promise<unknown>>();
    expectTypeOf(refresh(new BareNode(), { load: () => 1 })).toEqualTypeOf<Promise<number>>();
  });

  it("refuses an override that disagrees, and options of reading", () => {
    // @ts-expect-error a number is no User
    void refresh(new UserNode(1), { load: () => 1 });
    // @ts-expect-error a refresh is always fresh
    void refresh(new UserNode(1), { maxAge: "5s" });
  });
});
