import { describe, expect, it } from "vitest";
import { Node, type NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { countingNode, localOnly, NumberedNode, remoteOnly, space } from "../support/space.js";

/**
 * Promise 5 with large numbers of readers and loads: no reader keeps waiting because a stack
 * overflowed.
 */
describe("promise 5: everyone is answered, however many there are", () => {
  const many = 4_000;

  it("answers a long line of loads that end at once behind one that does not", async () => {
    const { cacheme } = await space();
    const first = deferred<number>();
    const { Counting } = countingNode({ caches: [], concurrency: 1 }, (id) =>
      id === 0 ? first.promise : id,
    );
    const values = cacheme.getAll(Array.from({ length: many }, (_, id) => new Counting(id)));
    await settled();
    first.resolve(0);
    expect(await values).toEqual(Array.from({ length: many }, (_, id) => id));
  });

  it("answers a long line of loads that throw at once", async () => {
    const { cacheme } = await space();
    const first = deferred<number>();
    const { Counting } = countingNode({ caches: [], concurrency: 2 }, (id) => {
      if (id > 1) throw new Error("no");
      return first.promise;
    });
    const outcomes = cacheme.getAllSettled(Array.from({ length: many }, (_, id) => new Counting(id)));
    await settled();
    first.resolve(0);
    expect((await outcomes).filter(({ status }) => status === "rejected")).toHaveLength(many - 2);
  });

  it("keeps no more loads running than `concurrency` after such a line", async () => {
    const { cacheme } = await space();
    const answers: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const { Counting } = countingNode({ caches: [], concurrency: 3 }, (id) => {
      if (id % 2 === 0) return id;
      running += 1;
      most = Math.max(most, running);
      return new Promise<number>((resolve) => {
        answers.push(() => {
          running -= 1;
          resolve(id);
        });
      });
    });
    const values = cacheme.getAll(Array.from({ length: 40 }, (_, id) => new Counting(id)));
    for (let round = 0; round < 20; round++) {
      await settled();
      answers.shift()?.();
    }
    expect(await values).toHaveLength(40);
    expect([most, running]).toEqual([3, 0]);
  });

  it("answers a long chain of loads, each of which reads the next", async () => {
    const { cacheme } = await space();
    const length = 3_000;
    class Link extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "link", caches: localOnly, concurrency: 1 };
      override async load(): Promise<number> {
        return this.id === length ? 0 : 1 + (await cacheme.get(new Link(this.id + 1)));
      }
    }
    expect(await cacheme.get(new Link(0))).toBe(length);
  });

  it("finds a cycle at the end of a long chain, even if the key was invalidated meanwhile", async () => {
    const { cacheme } = await space();
    const length = 3_000;
    class Ring extends Node<number> {
      static override meta: NodeMeta = { name: "ring", caches: localOnly };
      constructor(readonly id: number) {
        super();
      }
      key() {
        return `${this.id % length}`;
      }
      override async load(): Promise<number> {
        if (this.id === length - 1) await cacheme.invalidate(new Ring(0));
        return 1 + (await cacheme.get(new Ring(this.id + 1)));
      }
    }
    const error = await cacheme.get(new Ring(0)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CACHEME_LOAD_CYCLE" });
    expect((error as { cycle: readonly string[] }).cycle).toHaveLength(length + 1);
  });

  it("answers many sets and invalidations of one key at once", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const count = 1_001;
    await Promise.all(
      Array.from({ length: count }, (_, at) =>
        at % 3 === 0 ? cacheme.invalidate(new Counting(1)) : cacheme.set(new Counting(1), at),
      ),
    );
    expect((await cacheme.peek(new Counting(1)))?.value).toBe(count - 1);
    expect(remote.records.size).toBe(1);
  });
});
