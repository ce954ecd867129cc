import {
  defineNode,
  Node,
  type NodeMeta,
  perRequest,
  type RequestTier,
  relate,
  requestScope,
  type Suggestion,
  suggestions,
} from "cacheme";
import { describe, expectTypeOf, it } from "vitest";

const posts = defineNode({ name: "posts", key: (id: number) => `${id}`, load: (id) => [id] });

describe("requestScope", () => {
  it("returns the function's answer", () => {
    expectTypeOf(requestScope(() => 1)).toEqualTypeOf<number>();
    expectTypeOf(requestScope(async () => "a")).toEqualTypeOf<Promise<string>>();
    const lazy: PromiseLike<boolean> = Promise.resolve(true);
    expectTypeOf(requestScope(() => lazy)).toEqualTypeOf<Promise<boolean>>();
  });

  it("takes an emitter of its end, and nothing else", () => {
    const response = { once: (_event: "close", _listener: () => void) => {} };
    expectTypeOf(requestScope(() => {}, { until: response })).toEqualTypeOf<void>();
    // @ts-expect-error it emits nothing
    requestScope(() => {}, { until: {} });
  });

  it("has a tier that is the first of a class", () => {
    const meta: NodeMeta = { name: "user", caches: [perRequest(), { storage: "local", ttl: "30s" }] };
    expectTypeOf(meta).toExtend<NodeMeta>();
    expectTypeOf(perRequest()).toEqualTypeOf<RequestTier>();
  });
});

describe("related nodes", () => {
  it("are named from the loaded value", () => {
    class UserNode extends Node {
      key() {
        return "1";
      }
      override load() {
        return { id: 1 };
      }
      override related(user: { id: number }) {
        return [posts(user.id)];
      }
    }
    expectTypeOf(new UserNode().load()).toEqualTypeOf<{ id: number }>();
    const user = defineNode({
      name: "user",
      key: (id: number) => `${id}`,
      load: async (id) => ({ id, name: "Ada" }),
      related: (id, value) => {
        expectTypeOf(id).toEqualTypeOf<number>();
        expectTypeOf(value).toEqualTypeOf<{ id: number; name: string }>();
        return [posts(value.id)];
      },
    });
    expectTypeOf(user(1).argument).toEqualTypeOf<number>();
  });

  it("are named by rules, and suggested", () => {
    expectTypeOf(relate("user:*", ({ key }) => [posts(Number(key))])).toEqualTypeOf<() => void>();
    expectTypeOf(suggestions(posts(1))).toEqualTypeOf<Suggestion[]>();
  });
});
