import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { CachemeEvents, LoadAll, NodeMeta } from "../src/index.js";
import { settled } from "./support/deferred.js";
import { reason } from "./support/reason.js";
import { countingNode, localOnly, NumberedNode, space, twoTiers } from "./support/space.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes a space that records every event. */
async function heard() {
  const made = await space();
  const events: [keyof CachemeEvents, unknown][] = [];
  const all = ["hit", "miss", "load", "loadError", "notStored", "invalidate", "storageError"] as const;
  for (const name of all) made.cacheme.on(name, (event: unknown) => events.push([name, event]));
  return { ...made, events };
}

describe("events", () => {
  it("report a miss and its load, with the number of waiting readers", async () => {
    const { cacheme, clock, events } = await heard();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => {
      clock.advance(12);
      return id;
    });
    await Promise.all([cacheme.get(new Counting(1)), cacheme.get(new Counting(1))]);
    expect(events).toEqual([
      ["miss", { node: "counting", key: "1", readers: 2 }],
      ["load", { node: "counting", keys: ["1"], duration: 12 }],
    ]);
  });

  it("report a hit, its storage, and how many readers it answered", async () => {
    const { cacheme, clock, events } = await heard();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    await cacheme.set(new Counting(1), 1);
    await cacheme.get(new Counting(1));
    clock.advance(60_000);
    await Promise.all([cacheme.get(new Counting(1)), cacheme.get(new Counting(1))]);
    expect(events).toEqual([
      ["hit", { node: "counting", key: "1", storage: "local", readers: 1 }],
      ["hit", { node: "counting", key: "1", storage: "remote", readers: 2 }],
    ]);
  });

  it("report a failed load", async () => {
    const { cacheme, events } = await heard();
    const boom = new Error("the source is down");
    const { Counting } = countingNode({ caches: localOnly }, () => Promise.reject(boom));
    await reason(cacheme.get(new Counting(1)));
    expect(events.at(-1)).toEqual(["loadError", { node: "counting", keys: ["1"], duration: 0, error: boom }]);
  });

  it("report a loadAll once, and each of its failed nodes", async () => {
    const { cacheme, events } = await heard();
    const gone = new Error("no 2");
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", caches: localOnly };
      static override loadAll: LoadAll<Bulk> = (nodes) => nodes.map(({ id }) => (id === 2 ? gone : id));
    }
    await cacheme.getAllSettled([1, 2, 3].map((id) => new Bulk(id)));
    expect(events.filter(([name]) => name !== "miss")).toEqual([
      ["load", { node: "bulk", keys: ["1", "3"], duration: 0 }],
      ["loadError", { node: "bulk", keys: ["2"], duration: 0, error: gone }],
    ]);
  });

  it("report a value that its serializer could not carry, and the reader still gets it", async () => {
    const { cacheme, remote, events } = await heard();
    const { Counting } = countingNode({ caches: twoTiers }, () => ({ handler: () => 7 }));
    expect((await cacheme.get(new Counting(1))).handler()).toBe(7);
    expect(events.at(-1)).toEqual([
      "notStored",
      {
        node: "counting",
        key: "1",
        error: expect.objectContaining({
          code: "CACHEME_NOT_SERIALIZABLE",
          path: "$.handler",
          node: "counting",
          key: "1",
        }),
      },
    ]);
    expect(remote.records.size).toBe(0);
    expect(cacheme.peekLocal(new Counting(1))).toBeDefined();
  });

  it("warns the process once for a class if nobody listens for that", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => ({ handler: () => 7 }));
    for (const id of [1, 2, 3]) await cacheme.get(new Counting(id));
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(/counting:1 .*\$\.handler/),
        { type: "CachemeWarning", code: "CACHEME_NOT_SERIALIZABLE" },
      ],
    ]);
  });

  it("report each invalidated node when every tier is done, but not if a tier failed", async () => {
    const { cacheme, remote, events } = await heard();
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    await cacheme.invalidate(new Counting(1), new Counting(2));
    expect(events).toEqual([
      ["invalidate", { node: "counting", key: "1" }],
      ["invalidate", { node: "counting", key: "2" }],
    ]);
    events.length = 0;
    remote.gate = () => Promise.reject(new Error("gone"));
    await reason(cacheme.invalidate(new Counting(1)));
    expect(events.map(([name]) => name)).toEqual(["storageError"]);
  });

  it("report a storage in trouble, and the operation", async () => {
    const { cacheme, remote, events } = await heard();
    const gone = new Error("gone");
    remote.gate = () => Promise.reject(gone);
    const { Counting } = countingNode({ caches: twoTiers }, (id) => id);
    await cacheme.get(new Counting(1));
    await reason(cacheme.invalidate(new Counting(1)));
    Object.defineProperty(remote, "close", { value: () => Promise.reject(gone) });
    await cacheme.close();
    expect(events.filter(([name]) => name === "storageError").map(([, event]) => event)).toEqual(
      // The removal is repeated once more before the storage is closed.
      ["read", "write", "remove", "remove", "close"].map((operation) => ({
        storage: "remote",
        operation,
        error: gone,
      })),
    );
  });
});

describe("on", () => {
  it("returns a function that stops listening for good", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    let hits = 0;
    const stop = cacheme.on("hit", () => {
      hits += 1;
    });
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(1));
    stop();
    stop();
    await cacheme.get(new Counting(1));
    expect(hits).toBe(1);
  });

  it("takes one function twice as two listeners, and stops them one by one", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    let hits = 0;
    const count = () => {
      hits += 1;
    };
    const [stopFirst, stopSecond] = [cacheme.on("hit", count), cacheme.on("hit", count)];
    await cacheme.set(new Counting(1), 1);
    await cacheme.get(new Counting(1));
    expect(hits).toBe(2);
    stopFirst();
    stopFirst();
    await cacheme.get(new Counting(1));
    expect(hits).toBe(3);
    stopSecond();
    await cacheme.get(new Counting(1));
    expect(hits).toBe(3);
  });

  it("lets a listener stop itself and others during an event", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    const heard: string[] = [];
    const stops = ["first", "second"].map((name) =>
      cacheme.on("miss", () => {
        heard.push(name);
        for (const stop of stops) stop();
      }),
    );
    await cacheme.get(new Counting(1));
    await cacheme.get(new Counting(2));
    expect(heard).toEqual(["first", "second"]);
  });

  it.each([
    ["an Error", new Error("bad listener"), /bad listener/],
    ["a string", "bad listener", /bad listener/],
    ["a value without a string form", Object.create(null), /"hit" event/],
  ])(
    "reports a listener that throws %s as a warning, without effect on readers and other listeners",
    async (_, thrown, message) => {
      const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const { cacheme } = await space();
      const { Counting } = countingNode({ caches: localOnly }, (id) => id);
      for (const event of ["hit", "miss", "load"] as const) {
        cacheme.on(event, () => {
          throw thrown;
        });
      }
      let others = 0;
      cacheme.on("hit", () => {
        others += 1;
      });
      expect(await cacheme.get(new Counting(1))).toBe(1);
      expect(await cacheme.get(new Counting(1))).toBe(1);
      expect(others).toBe(1);
      expect(warn).toHaveBeenCalledTimes(3);
      expect(warn).toHaveBeenLastCalledWith(expect.stringMatching(message), "CachemeWarning");
    },
  );

  it.each<[string, () => Promise<void>]>([
    [
      "an asynchronous listener",
      async () => {
        throw new Error("bad listener");
      },
    ],
    [
      "one of another realm",
      runInNewContext('async () => { throw new Error("bad listener"); }') as () => Promise<void>,
    ],
  ])("reports %s that fails in the same way: no unhandled rejection", async (_, listener) => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: localOnly }, (id) => id);
    cacheme.on("miss", listener);
    await cacheme.get(new Counting(1));
    await settled();
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/bad listener/), "CachemeWarning");
  });

  it.each([
    ["an unknown event", "hits", () => {}],
    ["a name of Object's own", "toString", () => {}],
    ["no function", "hit", undefined],
  ])("refuses %s, and lists the events", async (_, event, listener) => {
    const { cacheme } = await space();
    expect(() => cacheme.on(event as "hit", listener as never)).toThrow(
      expect.objectContaining({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringMatching(
          /hit, (.+, )?miss, load, loadError, (.+, )?notStored, (.+, )?unreadable, storageError, (.+, )?breaker/,
        ),
      }),
    );
  });
});
