import { afterCommit, defineNode, Node, type NodeMeta, type SaveAll, save, saveAll } from "cacheme";
import { expectTypeOf, test } from "vitest";

interface User {
  readonly id: number;
}

class UserNode extends Node<User> {
  static override meta: NodeMeta = { name: "user", write: "around", saveTimeout: "5s" };
  static override saveAll: SaveAll<UserNode> = (entries) => {
    expectTypeOf(entries).toEqualTypeOf<readonly { readonly node: UserNode; readonly value: User }[]>();
  };
  key() {
    return "1";
  }
  override save(user: User) {
    return user;
  }
}

class LoadingNode extends Node {
  key() {
    return "1";
  }
  override load() {
    return 1;
  }
  override save(_value: number) {}
}

const count = defineNode({
  name: "count",
  key: (id: number) => `${id}`,
  load: (id) => id,
  save: (id, value) => {
    expectTypeOf(id).toEqualTypeOf<number>();
    expectTypeOf(value).toEqualTypeOf<number>();
  },
});

test("a save takes the node's value", () => {
  save(new UserNode(), { id: 1 });
  save(new LoadingNode(), 2);
  save(count(1), 3, { ttl: "1m", tags: ["counts"] });
  // @ts-expect-error: not a user
  save(new UserNode(), 1);
  // @ts-expect-error: not a number
  save(count(1), "3");
});

test("a save of many takes each node's value", () => {
  saveAll([
    [new UserNode(), { id: 1 }],
    [new LoadingNode(), 2],
  ]);
  // @ts-expect-error: not a number
  saveAll([[new LoadingNode(), { id: 1 }]]);
});

test("a transaction has the function's answer", () => {
  expectTypeOf(afterCommit(() => 1)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(afterCommit(async () => "answer")).toEqualTypeOf<Promise<string>>();
});
