import { describe, expect, it } from "vitest";
import { type GetOptions, type LoadContext, Node, type NodeMeta } from "../../src/index.js";
import { type Deferred, deferred, settled } from "../support/deferred.js";
import { hold } from "../support/hold.js";
import { reason } from "../support/reason.js";
import type { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, localOnly, remoteOnly, type Space, space, twoTiers } from "../support/space.js";

const setups: readonly (readonly [string, NodeMeta["caches"]])[] = [
  ["local only", localOnly],
  ["remote only", remoteOnly],
  ["two tiers", twoTiers],
];

const remoteSetups = setups.slice(1);

/** Makes a value that no serializer carries. A local tier holds it by reference. */
const uncarriable = () => "no bytes";

/** Holds back every write at one moment until the test opens the gate. */
function holdWrites(remote: SimulatedRemote, at: "request" | "answer"): Deferred<void> {
  const gate = deferred();
  remote.gate = (operation, moment) => (operation === "write" && moment === at ? gate.promise : undefined);
  return gate;
}

describe("promise 10: an operation overtakes only what was born before it", () => {
  for (const [setup, caches] of setups) {
    it(`keeps a refresh that began after a set: ${setup}`, async () => {
      const { cacheme } = await space();
      const { Counting } = countingNode<string>({ caches }, () => "new");
      const set = cacheme.set(new Counting(1), "old");
      expect(await cacheme.refresh(new Counting(1))).toBe("new");
      expect(await cacheme.get(new Counting(1))).toBe("new");
      await set;
      expect(await cacheme.get(new Counting(1))).toBe("new");
    });
  }

  for (const [setup, caches] of remoteSetups) {
    for (const moment of ["request", "answer"] as const) {
      it(`keeps a refresh whose load ends before an older set's ${moment}: ${setup}`, async () => {
        const { cacheme, remote } = await space();
        const { Counting } = countingNode<string>({ caches }, () => "new");
        const writing = holdWrites(remote, moment);
        const set = cacheme.set(new Counting(1), "old");
        await settled();
        const refreshed = cacheme.refresh(new Counting(1));
        await settled();
        writing.resolve();
        await Promise.all([set, refreshed]);
        expect(await cacheme.get(new Counting(1))).toBe("new");
        expect((await cacheme.peek(new Counting(1)))?.value).not.toBe("old");
      });
    }

    it(`keeps a set that was called while a refresh loaded: ${setup}`, async () => {
      const { cacheme } = await space();
      const loading = deferred<string>();
      const { Counting } = countingNode<string>({ caches }, () => loading.promise);
      const refreshed = cacheme.refresh(new Counting(1));
      await settled();
      const set = cacheme.set(new Counting(1), "set");
      loading.resolve("loaded");
      await Promise.all([set, refreshed]);
      expect((await cacheme.peek(new Counting(1)))?.value).toBe("set");
    });
  }
});

describe("promise 10: an operation overtakes only once its value is there", () => {
  for (const [setup, caches] of setups) {
    for (const order of ["first", "second"] as const) {
      it(`keeps the value of a refresh if a younger one fails, and the ${order} ends first: ${setup}`, async () => {
        const { cacheme } = await space();
        const [first, second] = [deferred<string>(), deferred<string>()];
        const answers = [first, second];
        const { Counting } = countingNode<string>({ caches }, (_, load) => answers[load - 1]!.promise);
        await cacheme.set(new Counting(1), "before");
        const succeeding = cacheme.refresh(new Counting(1));
        await settled();
        const failing = reason(cacheme.refresh(new Counting(1)));
        await settled();
        second.promise.catch(() => {}); // The second load may not have begun.
        const ends = [() => first.resolve("after"), () => second.reject(new Error("the source is down"))];
        for (const end of order === "first" ? ends : ends.reverse()) {
          end();
          await settled();
        }
        expect(await succeeding).toBe("after");
        expect(await failing).toMatchObject({ message: "the source is down" });
        expect(await cacheme.get(new Counting(1))).toBe("after");
      });
    }
  }

  for (const [setup, caches] of remoteSetups) {
    it(`keeps a set if the serializer refuses a younger one: ${setup}`, async () => {
      const { cacheme } = await space();
      const { Counting, loads } = countingNode<unknown>({ caches }, () => "loaded");
      await cacheme.set(new Counting(1), "v0");
      const first = cacheme.set(new Counting(1), "v1");
      const second = reason(cacheme.set(new Counting(1), uncarriable));
      expect(await second).toMatchObject({ code: "CACHEME_NOT_SERIALIZABLE" });
      await first;
      expect(await cacheme.get(new Counting(1))).toBe("v1");
      expect(loads).toEqual([]);
    });

    it(`keeps the value of a load that a refused set followed: ${setup}`, async () => {
      const { cacheme } = await space();
      const loading = deferred<unknown>();
      const { Counting, loads } = countingNode<unknown>({ caches }, () => loading.promise);
      const read = cacheme.get(new Counting(1));
      await settled();
      await reason(cacheme.set(new Counting(1), uncarriable));
      loading.resolve("loaded");
      expect(await read).toBe("loaded");
      expect(await cacheme.get(new Counting(1))).toBe("loaded");
      expect(loads).toEqual([1]);
    });

    it(`leaves nothing older than a set if a younger one met a storage in trouble: ${setup}`, async () => {
      const { cacheme, remote } = await space();
      const { Counting } = countingNode<string>({ caches }, () => "loaded");
      await cacheme.set(new Counting(1), "v0");
      const writing = holdWrites(remote, "request");
      const first = cacheme.set(new Counting(1), "v1");
      await settled();
      const second = reason(cacheme.set(new Counting(1), "v2"));
      await settled();
      remote.gate = (operation) => {
        if (operation === "write") throw new Error("the storage is full");
      };
      writing.resolve();
      await first.catch(() => {}); // It may be skipped for the second set, or meet the same trouble.
      expect(await second).toMatchObject({ code: "CACHEME_WRITE_INCOMPLETE" });
      expect(await cacheme.get(new Counting(1))).not.toBe("v0");
    });
  }
});

/** The reads that replace the stored value. All of them skip a value that is one minute old. */
const replacing: readonly (readonly [string, GetOptions<Node<unknown>>])[] = [
  ["refresh", { fresh: true }],
  ["fresh", { fresh: true }],
  ["maxAge", { maxAge: "1s" }],
];

interface Source {
  value: unknown;
  skips: boolean;
}

/** The reasons why a tier does not take a new value, and how to cause them. */
const refusals: readonly (readonly [string, (source: Source, remote: SimulatedRemote) => void])[] = [
  [
    "the serializer refuses it",
    (source) => {
      source.value = uncarriable;
    },
  ],
  [
    "it is too large for the server",
    (_, remote) => {
      remote.gate = (operation, moment) => {
        if (operation === "write" && moment === "request") throw new Error("the value is too large");
      };
    },
  ],
  [
    "the storage takes no writes and no removals",
    (_, remote) => {
      remote.gate = (operation, moment) => {
        if (operation !== "read" && moment === "request") throw new Error("the storage is read-only");
      };
    },
  ],
  [
    "the load skips",
    (source) => {
      source.skips = true;
    },
  ],
];

/** Stores the value "old", and makes a source that has a newer one. */
async function replacedIn(caches: NodeMeta["caches"], meta: NodeMeta = {}) {
  const made: Space = await space();
  const source: Source = { value: "new", skips: false };
  class Replaced extends Node<unknown> {
    static override meta: NodeMeta = { name: "replaced", caches, ...meta };
    key() {
      return "1";
    }
    override load(context: LoadContext) {
      if (source.skips) context.skip();
      return source.value;
    }
  }
  await made.cacheme.set(new Replaced(), "old");
  made.clock.advance(10_000);
  const replace = (way: string, options: GetOptions<Node<unknown>>) =>
    way === "refresh" ? made.cacheme.refresh(new Replaced()) : made.cacheme.get(new Replaced(), options);
  return { ...made, node: new Replaced(), source, replace };
}

describe("promise 10: a replaced value is gone even if the new one is not stored", () => {
  for (const [setup, caches] of [["local only", localOnly] as const]) {
    for (const [way, options] of replacing) {
      it(`answers no read with the old value after ${way}, if the load skips: ${setup}`, async () => {
        const { cacheme, node, source, replace } = await replacedIn(caches);
        source.skips = true;
        expect(await replace(way, options)).toBe("new");
        source.value = "newer";
        expect(await cacheme.get(node)).toBe("newer");
      });
    }
  }

  for (const [setup, caches] of remoteSetups) {
    for (const [why, refuse] of refusals) {
      for (const [way, options] of replacing) {
        it(`answers no read with the old value after ${way}, if ${why}: ${setup}`, async () => {
          const { cacheme, clock, node, source, replace, remote } = await replacedIn(caches);
          refuse(source, remote);
          const { value } = source;
          expect(await replace(way, options)).toBe(value);
          expect(await cacheme.get(node)).toBe(value);
          clock.advance(60_001); // The local tier has nothing left.
          expect(await cacheme.get(node)).not.toBe("old");
          expect((await cacheme.peek(node))?.value).not.toBe("old");
        });
      }
    }
  }

  for (const [setup, caches] of setups) {
    it(`answers no read with the old value after maxAge, if the doorkeeper does not admit: ${setup}`, async () => {
      const { cacheme, node, replace } = await replacedIn(caches, { doorkeeper: { size: 100 } });
      expect(await replace("maxAge", { maxAge: "1s" })).toBe("new");
      expect(await cacheme.get(node)).toBe("new");
      expect((await cacheme.peek(node))?.value).not.toBe("old");
    });
  }

  it("trusts an unreachable tier again once it has taken a value", async () => {
    const { cacheme, node, source, replace, remote } = await replacedIn(remoteOnly);
    remote.gate = (operation) => {
      if (operation !== "read") throw new Error("the storage is read-only");
    };
    await replace("refresh", { fresh: true });
    remote.gate = () => {};
    await settled(); // The removal of the old value has been answered.
    source.value = "newer";
    await replace("refresh", { fresh: true });
    source.value = "newest";
    expect(await cacheme.get(node)).toBe("newer");
  });
});

describe("promise 10: maxAge", () => {
  it("gives no reader that joins at a slow fill a value that is too old", async () => {
    for (const caches of [remoteOnly, twoTiers]) {
      const { cacheme, clock, remote } = await space();
      const { Counting } = countingNode({ caches }, (_, load) => load);
      const writing = holdWrites(remote, "answer");
      const first = cacheme.get(new Counting(1));
      await settled();
      expect(remote.count("write")).toBe(1);
      clock.advance(504);
      const young = cacheme.get(new Counting(1), { maxAge: 100 });
      await settled();
      writing.resolve();
      expect(await Promise.all([first, young])).toEqual([1, 2]);
    }
  });

  it("gives no reader that joins a read a value that is too old", async () => {
    const { cacheme, clock, remote } = await space();
    const { Counting } = countingNode<unknown>({ caches: remoteOnly }, (_, load) => load);
    await cacheme.set(new Counting(1), "old");
    const answering = hold(remote, "read", "answer");
    const any = cacheme.get(new Counting(1), { maxAge: 50 });
    await settled();
    clock.advance(504);
    const young = cacheme.get(new Counting(1), { maxAge: 100 });
    await settled();
    answering.resolve();
    expect(await young).toBe(1);
    expect(await any).toBe(1);
  });

  it("replaces the skipped value in every tier", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, (_, load) => load);
    await cacheme.get(new Counting(1));
    clock.advance(504);
    expect(await cacheme.get(new Counting(1), { maxAge: 100 })).toBe(2);
    expect(await cacheme.get(new Counting(1))).toBe(2);
    clock.advance(60_001);
    expect(await cacheme.get(new Counting(1))).toBe(2);
  });
});
