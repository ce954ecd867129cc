import { describe, expect, it } from "vitest";
import { type Cacheme, defineNode } from "../../src/index.js";
import { ExpectedTags } from "../../src/tags/expected-tags.js";
import { TagTable } from "../../src/tags/tag-table.js";
import { NumberedNode, remoteOnly, taggedSpace, twoTiers } from "../support/space.js";

/** Makes nodes whose values tell the tags that the test chooses. */
function posts(caches = remoteOnly) {
  const told = { tags: ["author:1", "public"] as readonly string[], loads: 0 };
  const post = defineNode({
    name: "post",
    key: (id: number) => `${id}`,
    load: (_: number, { tag }) => {
      tag(...told.tags);
      told.loads += 1;
      return `load ${told.loads}`;
    },
    caches,
  });
  return { post, told };
}

/** Stores values in the remote storage: the first load of a tag is not stored. */
async function stored(caches = remoteOnly) {
  const space = await taggedSpace();
  const { post, told } = posts(caches);
  const load = async (cacheme: Cacheme, id = 1) => {
    await cacheme.get(post(id));
    space.clock.advance(1);
    return cacheme.get(post(id));
  };
  await load(space.cacheme);
  const other = await space.process();
  const { remote } = space;
  const reads = async (read: () => Promise<unknown>) => {
    remote.calls.length = 0;
    const answer = await read();
    return { answer, reads: remote.count("read"), calls: remote.calls.length };
  };
  return { ...space, post, told, load, other, reads };
}

describe("tags that only the value tells", () => {
  it("are read with the entry by a process that has met them before", async () => {
    const { other, post, reads } = await stored();
    expect(await reads(() => other.get(post(1)))).toMatchObject({ answer: "load 2", reads: 2 });
    expect(await reads(() => other.get(post(1)))).toEqual({ answer: "load 2", reads: 1, calls: 1 });
    expect(await reads(() => other.peek(post(1)))).toMatchObject({ reads: 1 });
  });

  it("are read with the entry by the process that has loaded it", async () => {
    const { cacheme, post, reads } = await stored();
    expect(await reads(() => cacheme.get(post(1)))).toEqual({ answer: "load 2", reads: 1, calls: 1 });
  });

  it("still make a miss in that one request after an invalidation elsewhere", async () => {
    const { cacheme, other, post, told, clock } = await stored();
    await other.get(post(1));
    for (const tag of ["author:1", "public"]) {
      clock.advance(1);
      await cacheme.invalidateTags(tag);
      clock.advance(1);
      const loads = told.loads;
      expect(await other.get(post(1))).toBe(`load ${loads + 1}`);
      expect(await other.get(post(1))).toBe(`load ${loads + 1}`);
      expect(told.loads).toBe(loads + 1);
    }
  });

  it("make a miss when the storage has lost a generation", async () => {
    const { other, post, told, remote } = await stored();
    await other.get(post(1));
    for (const key of [...remote.records.keys()]) if (key.includes("author:1")) remote.records.delete(key);
    await other.get(post(1));
    expect(told.loads).toBe(3);
  });

  it("are compared in a second request if the next value has others", async () => {
    const { cacheme, other, post, told, clock, load, reads } = await stored();
    await other.get(post(1));
    await cacheme.invalidate(post(1));
    told.tags = ["author:2"];
    clock.advance(1);
    await load(cacheme);
    expect(await reads(() => other.get(post(1)))).toMatchObject({ answer: "load 4", reads: 2 });
    expect(await reads(() => other.get(post(1)))).toMatchObject({ answer: "load 4", reads: 1 });
    await cacheme.invalidateTags("author:2");
    expect(await other.get(post(1))).toBe("load 5");
  });

  it("cost nothing more once the values tell none", async () => {
    const { cacheme, other, post, told, clock, remote, load } = await stored();
    await other.get(post(1));
    await cacheme.invalidate(post(1));
    told.tags = [];
    clock.advance(1);
    await load(cacheme);
    await other.get(post(1));
    remote.calls.length = 0;
    await other.get(post(1));
    expect(remote.calls).toMatchObject([{ operation: "read", keys: { length: 1 } }]);
  });

  it("leave values of the class that tell none without a flight", async () => {
    const { cacheme, other, post, told, clock, remote } = await stored();
    await other.get(post(1));
    told.tags = [];
    await cacheme.get(post(2));
    clock.advance(1);
    remote.calls.length = 0;
    const both = await Promise.all([other.get(post(1)), other.get(post(2))]);
    expect(both).toEqual(["load 2", "load 3"]);
    expect(remote.calls).toMatchObject([{ operation: "read", keys: { length: 4 } }]);
  });

  it("fill the local tier, which then ends with them", async () => {
    const { cacheme, other, post, clock } = await stored(twoTiers);
    await other.get(post(1));
    clock.advance(61_000); // The local entry expires.
    expect(await other.get(post(1))).toBe("load 2");
    expect(other.peekLocal(post(1))?.tags).toEqual(["author:1", "public"]);
    await other.invalidateTags("public");
    expect(other.peekLocal(post(1))).toBeUndefined();
    expect(await cacheme.peek(post(1))).toBeUndefined();
  });

  it("are read beside the tags of the node", async () => {
    const { clock, remote, process, cacheme } = await taggedSpace();
    class Tagged extends NumberedNode<string> {
      static override meta = { name: "tagged", caches: remoteOnly };
      override tags() {
        return ["own"];
      }
      override async load({ tag }: { tag(...tags: string[]): void }) {
        tag("told");
        return "value";
      }
    }
    for (let turn = 0; turn < 2; turn++) {
      await cacheme.get(new Tagged(1));
      clock.advance(1);
    }
    const other = await process();
    await other.get(new Tagged(1));
    remote.calls.length = 0;
    await other.get(new Tagged(1));
    expect(remote.calls).toMatchObject([{ operation: "read", keys: { length: 3 } }]);
    await cacheme.invalidateTags("told");
    expect(await other.peek(new Tagged(1))).toBeUndefined();
  });
});

describe("ExpectedTags", () => {
  it("keeps a bounded number of names, and forgets the oldest keys", () => {
    const table = new TagTable(
      () => "",
      () => 0,
      () => 0,
    );
    const expected = new ExpectedTags(table, 10);
    const tags = (...names: string[]) => names.map((name) => table.of(name));
    for (let key = 0; key < 100; key++) expected.note(`key ${key}`, tags("a", `b${key}`));
    expect(expected.size).toBe(10);
    expect(expected.of("key 94")).toBeUndefined();
    expect(expected.of("key 95")).toEqual(tags("a", "b95"));
    expected.note("key 95", tags("c"));
    expected.note("key 96", undefined);
    expect(expected.of("key 95")).toEqual(tags("c"));
    expect(expected.of("key 96")).toBeUndefined();
    expect(expected.size).toBe(7);
  });
});
