import assert from "node:assert/strict";
import { get, invalidate, type LoadContext, Node, type NodeMeta, stats } from "cacheme";

let loads = 0;

/** A class without parameter properties and enums. Without its types it is a JavaScript program. */
class SquareNode extends Node<number> {
  static override meta: NodeMeta = { name: "square" };
  readonly side: number;

  constructor(side: number) {
    super();
    this.side = side;
  }

  key() {
    return `${this.side}`;
  }

  override load(context: LoadContext<number>) {
    context.ttl("1h");
    loads += 1;
    return this.side ** 2;
  }
}

const both: number[] = await Promise.all([get(new SquareNode(3)), get(new SquareNode(3))]);
assert.deepEqual(both, [9, 9]);
assert.equal(await get(new SquareNode(3)), 9);
assert.equal(loads, 1, "three reads of one key load it once");

await invalidate(new SquareNode(3));
await get(new SquareNode(3));
assert.equal(loads, 2, "a removed value is loaded again");
assert.equal(stats(SquareNode).loadSuccessCount, 2);
