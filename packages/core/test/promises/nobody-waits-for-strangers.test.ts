import { describe, expect, it } from "vitest";
import { Node, type NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { hold } from "../support/hold.js";
import { countingNode, remoteOnly, type Space, space, twoTiers } from "../support/space.js";

const setups = [
  ["remote only", remoteOnly],
  ["two tiers", twoTiers],
] as const;

/** Returns whether the promise has settled, once every job has run that waits on nothing else. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await settled();
  return done;
}

/** Advances the time by whole milliseconds, and runs everything that is due in each. */
async function pass({ clock }: Space, milliseconds: number, each: (ms: number) => void = () => {}) {
  for (let ms = 0; ms < milliseconds; ms++) {
    each(ms);
    clock.advance(1);
    for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Makes a storage whose calls each take some milliseconds of the virtual clock. */
function slow(made: Space, milliseconds: number): { most: () => number } {
  let [pending, most] = [0, 0];
  made.remote.gate = (_, moment) => {
    if (moment === "answer") {
      pending -= 1;
      return;
    }
    pending += 1;
    most = Math.max(most, pending);
    return new Promise((resolve) => made.clock.schedule(resolve, milliseconds));
  };
  return { most: () => most };
}

describe("promise 11: nobody waits for strangers", () => {
  for (const [setup, caches] of setups) {
    it(`answers a read while removals of its key hang: ${setup}`, async () => {
      const { cacheme, remote } = await space();
      const { Counting } = countingNode({ caches }, () => "loaded");
      const removing = hold(remote, "remove", "request");
      const invalidated: Promise<void>[] = [];
      for (let call = 0; call < 20; call++) {
        invalidated.push(cacheme.invalidate(new Counting(1)));
        await settled();
      }
      const read = cacheme.get(new Counting(1));
      expect(await isSettled(read)).toBe(true);
      removing.resolve();
      await Promise.all([read, ...invalidated]);
    });

    it(`answers a read while writes of its key hang: ${setup}`, async () => {
      const { cacheme, remote } = await space();
      const { Counting } = countingNode({ caches }, () => "loaded");
      const writing = hold(remote, "write", "request");
      const sets = [cacheme.set(new Counting(1), "first"), cacheme.set(new Counting(1), "second")];
      await settled();
      const read = cacheme.get(new Counting(1));
      expect(await isSettled(read)).toBe(true);
      writing.resolve();
      await Promise.all([read, ...sets]);
      expect((await cacheme.peek(new Counting(1)))?.value).not.toBe("first");
    });

    it(`answers a read within its own call of a storage that fails late: ${setup}`, async () => {
      const made = await space();
      const { cacheme, clock, remote } = made;
      const { Counting } = countingNode({ caches }, () => "loaded");
      remote.gate = (operation, moment) =>
        moment === "request"
          ? new Promise((_, reject) => clock.schedule(() => reject(new Error(`${operation} failed`)), 100))
          : undefined;
      const invalidated = Array.from({ length: 20 }, () => cacheme.invalidate(new Counting(1)));
      const outcomes = Promise.allSettled(invalidated);
      await settled();
      const read = cacheme.get(new Counting(1));
      await pass(made, 201);
      expect(await isSettled(read)).toBe(true);
      await pass(made, 2_000);
      expect((await outcomes).map(({ status }) => status)).toEqual(Array(20).fill("rejected"));
    });

    it(`answers a read of a key that is invalidated all the time: ${setup}`, async () => {
      const made = await space();
      const { cacheme } = made;
      const { Counting } = countingNode({ caches }, () => "loaded");
      const storage = slow(made, 4);
      const started = made.clock.now();
      const reads: { readonly from: number; until: number | undefined }[] = [];
      const running: Promise<unknown>[] = [];
      await pass(made, 600, (ms) => {
        running.push(cacheme.invalidate(new Counting(1)));
        if (ms % 20 !== 0 || ms > 500) return;
        const read: (typeof reads)[number] = { from: ms, until: undefined };
        reads.push(read);
        running.push(
          cacheme.get(new Counting(1)).then(() => {
            read.until = made.clock.now() - started;
          }),
        );
      });
      // The read's own request, its own fill, and three fresh starts at most.
      for (const { from, until } of reads)
        expect((until ?? Number.POSITIVE_INFINITY) - from).toBeLessThan(40);
      expect(storage.most()).toBeLessThanOrEqual(4);
      await pass(made, 3_000);
      await Promise.all(running);
    });
  }

  it("removes a key once even if a list names it many times", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const [one, two] = [new Counting(1), new Counting(2)];
    await cacheme.getAll([one, two]);
    const told: string[] = [];
    cacheme.on("invalidate", ({ key }) => told.push(key));
    await cacheme.invalidate(Array.from({ length: 20_000 }, (_, place) => (place % 2 === 0 ? one : two)));
    expect(remote.calls.filter(({ operation }) => operation === "remove")).toHaveLength(1);
    expect(told).toEqual(["1", "2"]);
  });

  it("sends 500 concurrent invalidations of a key in two round trips at most", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "loaded");
    const removing = hold(remote, "remove", "request");
    const together = Array.from({ length: 250 }, () => cacheme.invalidate(new Counting(1)));
    await settled();
    const later = Array.from({ length: 250 }, () => cacheme.invalidate(new Counting(1)));
    await settled();
    expect(remote.count("remove")).toBe(1);
    removing.resolve();
    await Promise.all([...together, ...later]);
    expect(remote.count("remove")).toBe(2);
    for (const { operation, keys } of remote.calls) {
      if (operation === "remove") expect(keys).toEqual(["cacheme:counting:1:1"]);
    }
  });

  it("merges waiting sets into the last one", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode<number>({ caches: remoteOnly }, () => -1);
    const writing = hold(remote, "write", "request");
    const sets: Promise<void>[] = [];
    for (let value = 0; value < 20; value++) {
      sets.push(cacheme.set(new Counting(1), value));
      await settled();
    }
    expect(remote.count("write")).toBe(1);
    writing.resolve();
    await Promise.all(sets);
    expect(remote.count("write")).toBe(2);
    expect((await cacheme.peek(new Counting(1)))?.value).toBe(19);
  });

  it("lets no key wait for the mutations of another one", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    const removing = hold(remote, "remove", "request");
    const invalidated = cacheme.invalidate(new Counting(1));
    await settled();
    expect(await isSettled(cacheme.get(new Counting(2)))).toBe(true);
    expect(await isSettled(cacheme.set(new Counting(2), 7))).toBe(true);
    removing.resolve();
    await invalidated;
  });
});

describe("promise 11: a read that nobody awaits", () => {
  it("makes no cycle", async () => {
    const { cacheme } = await space();
    const loading = deferred();
    class Side extends Node<string> {
      static override meta: NodeMeta = { name: "side", caches: twoTiers };
      key() {
        return "1";
      }
      override async load() {
        return `${await cacheme.get(new Main())} and its side`;
      }
    }
    let side: Promise<string> | undefined;
    class Main extends Node<string> {
      static override meta: NodeMeta = { name: "main", caches: twoTiers };
      key() {
        return "1";
      }
      override async load() {
        side ??= cacheme.get(new Side()); // A warm-up: the load does not wait for it.
        await loading.promise;
        return "main";
      }
    }
    const main = cacheme.get(new Main());
    await settled();
    loading.resolve();
    expect(await main).toBe("main");
    expect(await side).toBe("main and its side");
  });
});
