import { describe, expectTypeOf, it } from "vitest";
import {
  clear,
  defineNode,
  defineScopes,
  type Entry,
  get,
  type HeldGeneration,
  invalidateAll,
  invalidateMatching,
  invalidateScope,
  invalidateTags,
  type LoadContext,
  type LocalRecord,
  type MatchingOptions,
  Node,
  type Scope,
  set,
  withScope,
} from "../../src/index.js";
import { UserNode } from "./sample-nodes.js";

describe("tags", () => {
  it("are strings, of a node and of an invalidation", () => {
    class Tagged extends Node<string> {
      key() {
        return "1";
      }
      override tags() {
        return ["a"];
      }
      override scope() {
        return { org: 7, user: "x" };
      }
      override dependsOn() {
        return [new UserNode(1), new Tagged()];
      }
      override load({ tag }: LoadContext<string>) {
        expectTypeOf(tag).toEqualTypeOf<(...tags: readonly string[]) => void>();
        return "x";
      }
    }
    expectTypeOf(get(new Tagged())).toEqualTypeOf<Promise<string>>();
    expectTypeOf(invalidateTags("a", "b")).toEqualTypeOf<Promise<void>>();
    expectTypeOf<Entry["tags"]>().toEqualTypeOf<readonly string[]>();
    void set(new Tagged(), "x", { tags: ["a"] });
    // @ts-expect-error a tag is a string
    void invalidateTags(7);
    class Wrong extends Tagged {
      // @ts-expect-error tags are strings
      override tags() {
        return [7];
      }
    }
    expectTypeOf<Wrong>().not.toExtend<Node>();
  });

  it("get the argument of a definition", () => {
    const node = defineNode({
      name: "typed",
      key: (id: number) => `${id}`,
      tags: (id) => {
        expectTypeOf(id).toEqualTypeOf<number>();
        return [`${id}`];
      },
      scope: (id) => ({ org: id }),
      dependsOn: (id) => [new UserNode(id)],
      load: (id) => id * 2,
    });
    expectTypeOf(get(node(1))).toEqualTypeOf<Promise<number>>();
    // @ts-expect-error tags() returns a list
    defineNode({ name: "wrong", key: () => "1", tags: () => "a", load: () => 1 });
  });

  it("are what a local storage gets with a value", () => {
    expectTypeOf<LocalRecord["generations"]>().toEqualTypeOf<readonly HeldGeneration[] | undefined>();
  });
});

describe("scopes", () => {
  it("have values that are strings or numbers", () => {
    expectTypeOf<Scope>().toEqualTypeOf<Readonly<Record<string, string | number>>>();
    expectTypeOf(defineScopes("org", "user")).toEqualTypeOf<void>();
    expectTypeOf(invalidateScope({ org: 7 })).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error a value is a string or a number
    void invalidateScope({ org: true });
  });

  it("return the function's answer", () => {
    expectTypeOf(withScope({ org: 7 }, () => 1)).toEqualTypeOf<number>();
    expectTypeOf(withScope({ org: 7 }, async () => "x")).toEqualTypeOf<Promise<string>>();
  });
});

describe("removals by pattern", () => {
  it("count", () => {
    expectTypeOf(invalidateMatching("user:*")).toEqualTypeOf<Promise<number>>();
    expectTypeOf(invalidateAll(UserNode, { onProgress: (removed) => removed + 1 })).toEqualTypeOf<
      Promise<number>
    >();
    expectTypeOf(clear({ remote: true })).toEqualTypeOf<Promise<number>>();
    expectTypeOf(clear()).toEqualTypeOf<Promise<void>>();
    expectTypeOf<MatchingOptions["signal"]>().toEqualTypeOf<AbortSignal | undefined>();
    // @ts-expect-error remote tiers are cleared on request only
    void clear({ remote: false });
  });
});
