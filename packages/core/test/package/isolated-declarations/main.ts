import assert from "node:assert/strict";
import { defineNode, get, getAll, type LoadAll, Node, type NodeFactory, type NodeMeta } from "cacheme";

export interface User {
  readonly id: number;
  readonly name: string;
}

/** A class as a library publishes it, with every exported type written down. */
export class UserNode extends Node<User> {
  static override meta: NodeMeta = { name: "user", version: 2, caches: [] };
  static override loadAll: LoadAll<UserNode> = (nodes) => nodes.map((node) => userOf(node.id));

  constructor(readonly id: number) {
    super();
  }

  key(): string {
    return `${this.id}`;
  }
}

export const greeting: NodeFactory<[name: string], string> = defineNode({
  name: "greeting",
  key: (name: string) => name,
  load: (name) => `Hello, ${name}`,
  caches: [],
});

function userOf(id: number): User {
  return { id, name: `user ${id}` };
}

const user: User = await get(new UserNode(1));
assert.deepEqual(user, { id: 1, name: "user 1" });

const [ada, hello] = await getAll([new UserNode(2), greeting("Ada")]);
assert.equal(ada.name, "user 2");
assert.equal(hello.toUpperCase(), "HELLO, ADA");
