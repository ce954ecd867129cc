import assert from "node:assert/strict";
import * as one from "cacheme";
import * as two from "cacheme-copy";

assert.notEqual(one.Node, two.Node, "the packages are two copies, or this program shows nothing");

let loads = 0;

/** A class of a library that has its own copy of the package. */
class LibraryNode extends two.Node<Date> {
  static override meta: two.NodeMeta = { name: "library" };

  key() {
    return "only";
  }

  override load() {
    loads += 1;
    return new Date(0);
  }
}

/** The application reads it with its copy. */
const date: Date = await one.get(new LibraryNode());
assert.equal(date.getTime(), 0);
assert.equal((await one.get(new LibraryNode())).getTime(), 0);
assert.equal(loads, 1);

const defined = two.defineNode({ name: "defined", key: (id: number) => `${id}`, load: (id) => id + 1 });
const next: number = await one.get(defined(1));
assert.equal(next, 2);

const [first, second]: [Date, number] = await one.getAll([new LibraryNode(), defined(2)]);
assert.deepEqual([first.getTime(), second], [0, 3]);
