import { describe, expect, it } from "vitest";
import { settled } from "../support/deferred.js";
import { hold } from "../support/hold.js";
import { reason } from "../support/reason.js";
import { countingNode, remoteOnly, space } from "../support/space.js";

const many = (count: number) => Array.from({ length: count }, (_, id) => id);

describe("a large batch", () => {
  it("is sent in parts of a thousand keys", async () => {
    const { cacheme, remote } = await space();
    const { Counting, loads } = countingNode({ caches: remoteOnly }, (id) => id);
    const nodes = many(2_500).map((id) => new Counting(id));
    await cacheme.getAll(nodes);
    const sizes = (operation: string) =>
      remote.calls.filter((call) => call.operation === operation).map(({ keys }) => keys.length);
    expect([sizes("read"), sizes("write")]).toEqual([
      [1_000, 1_000, 500],
      [1_000, 1_000, 500],
    ]);
    expect(await cacheme.getAll(nodes)).toEqual(many(2_500));
    expect(loads).toHaveLength(2_500);
    await cacheme.invalidate(nodes);
    expect(sizes("remove")).toEqual([1_000, 1_000, 500]);
    expect(remote.records.size).toBe(0);
  });

  it("is sent in parts of a megabyte, and a larger record alone", async () => {
    const { cacheme, remote } = await space();
    const sizes = [400_000, 400_000, 400_000, 2_000_000, 10];
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => new Uint8Array(sizes[id]!));
    await cacheme.getAll(sizes.map((_, id) => new Counting(id)));
    const parts = remote.calls.filter(({ operation }) => operation === "write");
    expect(parts.map(({ keys }) => keys.length)).toEqual([2, 1, 1, 1]);
  });

  it("has at most four parts under way, with those of other large batches", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const answering = hold(remote, "read", "answer");
    // A list that is read in two turns: two batches of five parts.
    const read = cacheme.getAll(many(10_000).map((id) => new Counting(id)));
    await settled();
    await settled();
    expect(remote.count("read")).toBe(4);
    answering.resolve();
    await read;
    expect(remote.count("read")).toBe(10);
  });

  it("of a long list is begun when the storage can take it", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const answering = hold(remote, "read", "answer");
    let begun = 0;
    class Noting extends Counting {
      static override meta = { name: "noting", caches: remoteOnly };
      override key() {
        begun += 1;
        return super.key();
      }
    }
    const read = cacheme.getAll(many(20_000).map((id) => new Noting(id)));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(begun).toBe(6_000);
    answering.resolve();
    expect(await read).toEqual(many(20_000));
  });

  it("with a part in trouble only loads the keys of that part, and stores the others", async () => {
    const { cacheme, remote } = await space();
    const { Counting, loads } = countingNode({ caches: remoteOnly }, (id) => id);
    const nodes = many(2_000).map((id) => new Counting(id));
    await cacheme.getAll(nodes);
    loads.length = 0;
    let reads = 0;
    remote.gate = (operation, moment) => {
      if (operation === "read" && moment === "request" && ++reads === 2) throw new Error("too busy");
    };
    expect(await cacheme.getAll(nodes)).toEqual(many(2_000));
    expect(loads).toEqual(many(1_000).map((id) => id + 1_000));
    let removals = 0;
    remote.gate = (operation, moment) => {
      if (operation === "remove" && moment === "request" && ++removals === 2) throw new Error("too busy");
    };
    expect(await reason(cacheme.invalidate(nodes))).toMatchObject({
      code: "CACHEME_INVALIDATION_INCOMPLETE",
      message: expect.stringMatching(/^counting:1000 and 999 more/),
    });
    expect(remote.records.size).toBe(1_000);
  });
});
