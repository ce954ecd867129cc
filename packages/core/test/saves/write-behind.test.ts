import { describe, expect, it } from "vitest";
import {
  Cacheme,
  defineNode,
  type Journal,
  memory,
  memoryJournal,
  msgpack,
  Node,
  type NodeMeta,
  type RegisterJournalOptions,
  type SaveAll,
} from "../../src/index.js";
import { pass, within } from "../support/advancing.js";
import { deferred, settled } from "../support/deferred.js";
import { gatedSource } from "../support/gated-source.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { reason } from "../support/reason.js";
import { localOnly, NumberedNode, twoTiers } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** A journal that outlives the spaces that use it, as a file does. */
function lastingJournal(): Journal {
  const journal = memoryJournal();
  let isConnected = false;
  return Object.assign(Object.create(journal), {
    isDurable: true,
    connect: async (clock: VirtualClock) => {
      if (!isConnected) await journal.connect(clock);
      isConnected = true;
    },
    ...Object.fromEntries(
      (["append", "claim", "extend", "complete", "fail", "read", "counts"] as const).map((name) => [
        name,
        (...args: never[]) => (journal[name] as (...given: never[]) => unknown)(...args),
      ]),
    ),
    deadLetters: (limit: number) => journal.deadLetters(limit),
    requeue: (keys: readonly string[]) => journal.requeue(keys),
    drop: (keys: readonly string[]) => journal.drop(keys),
    close: async () => {},
  });
}

const bulkPolicy: NodeMeta = { caches: localOnly, write: "behind", journal: "writes" };

const remoteTier: NodeMeta["caches"] = [{ storage: "remote" }];

/** Makes a journal of another process in the same place. */
function elsewhere(journal: Journal): Journal {
  return Object.create(journal);
}

interface Setting {
  readonly options?: RegisterJournalOptions;
  readonly meta?: NodeMeta;
  readonly clock?: VirtualClock;
  readonly journal?: Journal;
  readonly server?: LeasedRemote;
  readonly isRegistered?: boolean;
}

/** A space with a class that writes behind, over a source that a test can delay or break. */
async function behind({ options, meta, clock = new VirtualClock(), ...given }: Setting = {}) {
  const cacheme = new Cacheme({ clock });
  const server = given.server ?? new LeasedRemote(clock);
  const remote = new LeasedRemote(clock, server);
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote);
  const { SourceNode, source, loads, gate } = gatedSource();
  const written: [number, unknown][] = [];
  class Counter extends SourceNode {
    static override meta: NodeMeta = {
      name: "counter",
      caches: twoTiers,
      write: "behind",
      journal: "writes",
      ...meta,
    };
    override async save(value: unknown) {
      await gate.save?.(this.id, value);
      written.push([this.id, value]);
      source.set(this.id, value);
    }
  }
  const register = () =>
    cacheme.registerJournal("writes", given.journal ? elsewhere(given.journal) : memoryJournal(), {
      delay: 1_000,
      ...options,
    });
  const journal = given.isRegistered === false ? undefined : await register();
  return { cacheme, clock, remote, server, source, written, loads, gate, Counter, journal: journal! };
}

/** Leaves the value of a process that has died in a journal. */
async function leftBehind(value: string) {
  const journal = lastingJournal();
  const clock = new VirtualClock();
  const died = await behind({ journal, clock });
  await died.cacheme.save(new died.Counter(1), value);
  return { journal, clock };
}

describe("a save of a class that writes behind", () => {
  it("is found by a touch before a tier has it", async () => {
    const { cacheme, clock, remote, Counter } = await behind({ meta: { caches: remoteTier, idle: "1m" } });
    const node = new Counter(1);
    expect(await cacheme.touch(node)).toBe(false);
    await cacheme.save(node, "new");
    expect(remote.records.size).toBe(0);
    expect(await cacheme.touch(node)).toBe(true);
    await pass(clock, 1_100);
    expect(remote.records.size).toBe(1);
    expect(await cacheme.touch(node)).toBe(true);
  });

  it("is acknowledged by the journal, and written later", async () => {
    const { cacheme, clock, written, Counter } = await behind();
    await cacheme.save(new Counter(1), "new");
    expect(written).toEqual([]);
    await pass(clock, 1_100);
    expect(written).toEqual([[1, "new"]]);
  });

  it("is read at once, before its source has it", async () => {
    const { cacheme, source, loads, Counter } = await behind();
    source.set(1, "old");
    expect(await cacheme.get(new Counter(1))).toBe("old");
    await cacheme.save(new Counter(1), "new");
    expect(await cacheme.get(new Counter(1))).toBe("new");
    expect(await cacheme.get(new Counter(1), { maxAge: 1 })).toBe("new");
    expect(await cacheme.refresh(new Counter(1))).toBe("new");
    expect(await cacheme.getAll([new Counter(1), new Counter(1)])).toEqual(["new", "new"]);
    expect((await cacheme.peek(new Counter(1)))?.value).toBe("new");
    expect(cacheme.peekLocal(new Counter(1))).toBeUndefined();
    expect(loads).toEqual([1]);
    expect(cacheme.stats(Counter).hits).toMatchObject({ writes: 5 });
  });

  it("is read from the caches once its source has it", async () => {
    const { cacheme, clock, loads, Counter } = await behind();
    await cacheme.save(new Counter(1), "new");
    await pass(clock, 1_100);
    expect(await cacheme.get(new Counter(1))).toBe("new");
    expect((await cacheme.peek(new Counter(1)))?.origin).toBe("local");
    expect(loads).toEqual([]);
  });

  it("writes only the newest value of a key", async () => {
    const { cacheme, clock, written, Counter } = await behind();
    for (let value = 0; value < 100; value++) void cacheme.save(new Counter(value % 2), value);
    await pass(clock, 1_100);
    expect(written).toEqual([
      [0, 98],
      [1, 99],
    ]);
  });

  it("writes the values of a key in their order, one at a time", async () => {
    const { cacheme, clock, written, gate, Counter } = await behind();
    const first = deferred<void>();
    gate.save = (_, value) => (value === "first" ? first.promise : undefined);
    await cacheme.save(new Counter(1), "first");
    await pass(clock, 1_100);
    await cacheme.save(new Counter(1), "second");
    await pass(clock, 5_000);
    expect(written).toEqual([]);
    expect(await cacheme.get(new Counter(1))).toBe("second");
    first.resolve();
    await pass(clock, 2_000);
    expect(written).toEqual([
      [1, "first"],
      [1, "second"],
    ]);
    expect(await cacheme.get(new Counter(1))).toBe("second");
  });

  it("shares one saveAll", async () => {
    const { cacheme, clock } = await behind();
    const calls: unknown[][] = [];
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", ...bulkPolicy };
      static override saveAll: SaveAll<Bulk> = async (entries) => {
        calls.push(entries.map(({ node, value }) => [node.id, value]));
      };
    }
    await cacheme.saveAll(Array.from({ length: 3 }, (_, id) => [new Bulk(id), id * 10] as const));
    await pass(clock, 1_100);
    expect(calls).toEqual([
      [
        [0, 0],
        [1, 10],
        [2, 20],
      ],
    ]);
  });

  it("keeps a load that began before it from local tiers and later readers", async () => {
    const { cacheme, source, gate, Counter } = await behind({ meta: { caches: localOnly } });
    source.set(1, "old");
    const loading = deferred<void>();
    gate.load = () => loading.promise;
    const early = cacheme.get(new Counter(1));
    await settled();
    await cacheme.save(new Counter(1), "new");
    const late = cacheme.get(new Counter(1));
    loading.resolve();
    expect(await early).toBe("old");
    expect(await late).toBe("new");
    expect(cacheme.peekLocal(new Counter(1))).toBeUndefined();
  });

  it("is seen by a load that waits for a slot while it is saved", async () => {
    const { cacheme, source, gate, Counter } = await behind({
      meta: { caches: localOnly, concurrency: 1 },
    });
    source.set(2, "old");
    const loading = deferred<void>();
    gate.load = () => loading.promise;
    const first = cacheme.get(new Counter(1));
    await settled();
    const waiting = cacheme.get(new Counter(2));
    await settled();
    await cacheme.save(new Counter(2), "new");
    const late = cacheme.get(new Counter(2));
    loading.resolve();
    await first;
    expect(await late).toBe("new");
    await waiting;
    expect(await cacheme.get(new Counter(2))).toBe("new");
  });

  it("is hidden by no local entry of a value that was written while a newer one was saved", async () => {
    const { cacheme, clock, gate, Counter } = await behind({ meta: { caches: localOnly } });
    const first = deferred<void>();
    gate.save = (_, value) => (value === "first" ? first.promise : undefined);
    await cacheme.save(new Counter(1), "first");
    await pass(clock, 1_100);
    await cacheme.save(new Counter(1), "second");
    first.resolve();
    await pass(clock, 100);
    expect(cacheme.peekLocal(new Counter(1))).toBeUndefined();
    expect(await cacheme.get(new Counter(1))).toBe("second");
  });

  it("still wins after the key is invalidated", async () => {
    const { cacheme, source, Counter } = await behind();
    source.set(1, "old");
    await cacheme.save(new Counter(1), "new");
    await cacheme.invalidate(new Counter(1));
    expect(await cacheme.get(new Counter(1))).toBe("new");
  });

  it("replaces a kept error of a load, and is what explains the next read", async () => {
    const { cacheme, gate, Counter } = await behind({ meta: { caches: localOnly, errorTtl: "1m" } });
    gate.load = () => Promise.reject(new Error("down"));
    expect(await reason(cacheme.get(new Counter(1)))).toMatchObject({ message: "down" });
    await cacheme.save(new Counter(1), "new");
    expect(await cacheme.get(new Counter(1))).toBe("new");
    expect((await cacheme.explain(new Counter(1))).origin).toBe("writes");
  });

  it("invalidates the values that depend on it, at once", async () => {
    const { cacheme, Counter } = await behind({ meta: { caches: localOnly } });
    const page = defineNode({
      name: "page",
      caches: localOnly,
      track: true,
      key: () => "page",
      load: async (_, { get }) => `page of ${await get(new Counter(1))}`,
    });
    expect(await cacheme.get(page())).toBe("page of undefined");
    await cacheme.save(new Counter(1), "new");
    expect(await cacheme.get(page())).toBe("page of new");
  });

  it("waits for the commit of a transaction", async () => {
    const { cacheme, Counter } = await behind();
    await cacheme.afterCommit(async () => {
      await cacheme.save(new Counter(1), "new");
      expect(await cacheme.get(new Counter(1))).toBeUndefined();
    });
    expect(await cacheme.get(new Counter(1))).toBe("new");
    const rolledBack = cacheme.afterCommit(async () => {
      await cacheme.save(new Counter(1), "newer");
      throw new Error("rolled back");
    });
    await reason(rolledBack);
    expect(await cacheme.get(new Counter(1))).toBe("new");
  });

  it("refuses set and getSync, and options that it could not keep", async () => {
    const { cacheme, Counter } = await behind({ meta: { caches: localOnly } });
    expect(await reason(cacheme.set(new Counter(1), 1))).toMatchObject({ code: "CACHEME_SET_BEHIND" });
    const synchronous = () => cacheme.getSync(new Counter(1), { load: () => 1 });
    expect(synchronous).toThrow(expect.objectContaining({ code: "CACHEME_NOT_SYNCHRONOUS" }));
    expect(await reason(cacheme.save(new Counter(1), 1, { ttl: "1m" }))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });

  it("refuses nodes that cannot be made again, and values that cannot be carried", async () => {
    const { cacheme, Counter } = await behind();
    class Private extends Node<number> {
      static override meta: NodeMeta = { name: "private", write: "behind", journal: "writes" };
      readonly #id: number;
      constructor(id: number) {
        super();
        this.#id = id;
      }
      key() {
        return `${this.#id}`;
      }
      override save() {}
    }
    expect(await reason(cacheme.save(new Private(1), 1))).toMatchObject({
      code: "CACHEME_INVALID_NODE",
      message: expect.stringContaining("fields"),
    });
    expect(await reason(cacheme.save(new Counter(1), () => {}))).toMatchObject({
      code: "CACHEME_NOT_SERIALIZABLE",
    });
  });
});

describe("a source that does not take a value", () => {
  it("gets it again after growing pauses", async () => {
    const { cacheme, clock, written, gate, Counter } = await behind({ options: { retryDelay: "1s" } });
    const attempts: number[] = [];
    gate.save = () => {
      attempts.push(clock.now());
      return attempts.length < 4 ? Promise.reject(new Error("down")) : undefined;
    };
    await cacheme.save(new Counter(1), "new");
    await pass(clock, 20_000);
    expect(written).toEqual([[1, "new"]]);
    const pauses = attempts.slice(1).map((at, place) => at - attempts[place]!);
    expect(pauses[0]).toBeLessThanOrEqual(2_100);
    expect(pauses[2]).toBeGreaterThan(1_900);
  });

  it("does not keep other values waiting, and has the value set aside in the end", async () => {
    const { cacheme, clock, source, gate, journal, Counter } = await behind({
      options: { maxAttempts: 3, retryDelay: 100 },
    });
    const dead: unknown[] = [];
    cacheme.on("deadLetter", ({ node, attempts }) => dead.push([node, attempts]));
    gate.save = (id) => (id === 1 ? Promise.reject(new Error("poison")) : undefined);
    source.set(1, "old");
    await cacheme.save(new Counter(1), "bad");
    await cacheme.save(new Counter(2), "good");
    await pass(clock, 5_000);
    expect(source.get(2)).toBe("good");
    expect(dead).toEqual([["counter:1", 3]]);
    expect(await journal.status()).toMatchObject({ unsaved: 0, deadLetters: 1 });
    expect(await cacheme.get(new Counter(1))).toBe("old");
    const letters = await journal.deadLetters();
    expect(letters).toMatchObject([{ node: "counter:1", attempts: 3, reason: "poison", value: "bad" }]);

    gate.save = () => undefined;
    expect(await journal.requeue(letters)).toBe(1);
    await pass(clock, 1_000);
    expect(source.get(1)).toBe("bad");
    expect(await journal.status()).toMatchObject({ unsaved: 0, deadLetters: 0 });
  });

  it("has a value dropped, or replaced by a newer one", async () => {
    const { cacheme, clock, source, gate, journal, Counter } = await behind({
      options: { isPoison: (error) => (error as Error).message === "poison" },
    });
    cacheme.on("deadLetter", () => {});
    gate.save = (_, value) => (value === "bad" ? Promise.reject(new Error("poison")) : undefined);
    await cacheme.save(new Counter(1), "bad");
    await cacheme.save(new Counter(2), "bad");
    await pass(clock, 1_100);
    expect(await journal.drop((await journal.deadLetters()).filter(({ id }) => id.endsWith(":1")))).toBe(1);
    await cacheme.save(new Counter(2), "good");
    expect(await journal.deadLetters()).toEqual([]);
    await pass(clock, 1_100);
    expect(source.get(2)).toBe("good");
  });

  it("fails one value of a saveAll: the others are written beside it at the next attempt", async () => {
    const { cacheme, clock } = await behind({ options: { maxAttempts: 3, retryDelay: 100 } });
    cacheme.on("deadLetter", () => {});
    const source = new Map<number, number>();
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", ...bulkPolicy };
      static override saveAll: SaveAll<Bulk> = async (entries) => {
        if (entries.some(({ value }) => value < 0)) throw new Error("negative");
        for (const { node, value } of entries) source.set(node.id, value);
      };
    }
    await cacheme.saveAll([1, -1, 2].map((value) => [new Bulk(value), value] as const));
    await pass(clock, 3_000);
    expect([...source.keys()].toSorted()).toEqual([1, 2]);
  });
});

describe("a value that the tiers' serializer refuses after it was acknowledged", () => {
  it("is written into its source, and the tiers drop the key", async () => {
    const carrier = msgpack();
    const refusing = { isOn: false };
    const serializer = {
      ...carrier,
      encode(value: unknown, context: { readonly key: string }) {
        if (refusing.isOn) throw new Error("too large");
        return carrier.encode(value, context);
      },
    };
    const { cacheme, clock, written, source, Counter } = await behind({ meta: { serializer } });
    const dead: unknown[] = [];
    const refused: unknown[] = [];
    cacheme.on("deadLetter", (letter) => dead.push(letter));
    cacheme.on("notStored", ({ error }) => refused.push(error.message));
    source.set(1, "old");
    expect(await cacheme.get(new Counter(1))).toBe("old");
    await cacheme.save(new Counter(1), "new");
    refusing.isOn = true;
    await pass(clock, 3_000);
    expect(written).toEqual([[1, "new"]]);
    expect(dead).toEqual([]);
    expect(refused).toEqual([expect.stringContaining("too large")]);
    refusing.isOn = false;
    expect(await cacheme.get(new Counter(1))).toBe("new");
  });
});

describe("a full journal", () => {
  it("makes a save wait until there is room", async () => {
    const { cacheme, clock, written, Counter } = await behind({ options: { maxSize: 2 } });
    await cacheme.save(new Counter(1), 1);
    await cacheme.save(new Counter(2), 2);
    let isAcknowledged = false;
    const third = cacheme.save(new Counter(3), 3).then(() => {
      isAcknowledged = true;
    });
    await pass(clock, 500);
    expect(isAcknowledged).toBe(false);
    await within(clock, 3_000, third);
    await pass(clock, 2_000);
    expect(written.map(([id]) => id)).toEqual([1, 2, 3]);
  });

  it("takes a newer value of a key that the journal holds, which needs no room", async () => {
    const { cacheme, clock, written, gate, Counter } = await behind({ options: { maxSize: 2 } });
    gate.save = () => Promise.reject(new Error("down"));
    await cacheme.save(new Counter(1), 1);
    await cacheme.save(new Counter(2), 2);
    const third = cacheme.save(new Counter(3), 3);
    await within(clock, 100, cacheme.save(new Counter(1), 10));
    await within(clock, 100, cacheme.save(new Counter(2), 20));
    expect(written).toEqual([]);
    gate.save = () => undefined;
    await within(clock, 20_000, third);
    await pass(clock, 20_000);
    expect(written.toSorted()).toEqual([
      [1, 10],
      [2, 20],
      [3, 3],
    ]);
  });

  it("takes it also by `whenFull`, and keeps the order of a key's saves", async () => {
    const { cacheme, clock, written, gate, Counter } = await behind({
      options: { maxSize: 1, whenFull: "reject" },
    });
    gate.save = () => Promise.reject(new Error("down"));
    await cacheme.save(new Counter(1), 1);
    const saves = Array.from({ length: 5 }, (_, value) => cacheme.save(new Counter(1), value));
    expect(await reason(cacheme.save(new Counter(2), 2))).toMatchObject({ code: "CACHEME_JOURNAL_FULL" });
    await within(clock, 100, Promise.all(saves));
    gate.save = () => undefined;
    await pass(clock, 20_000);
    expect(written).toEqual([[1, 4]]);
  });

  it("rejects a save by `whenFull`", async () => {
    const { cacheme, Counter } = await behind({ options: { maxSize: 1, whenFull: "reject" } });
    await cacheme.save(new Counter(1), 1);
    expect(await reason(cacheme.save(new Counter(2), 2))).toMatchObject({ code: "CACHEME_JOURNAL_FULL" });
  });
});

describe("flush and close", () => {
  it("write what is left, and say what is left then", async () => {
    const { cacheme, clock, written, gate, Counter } = await behind();
    gate.save = (id) => (id === 2 ? Promise.reject(new Error("down")) : undefined);
    await cacheme.save(new Counter(1), 1);
    await cacheme.save(new Counter(2), 2);
    expect(await within(clock, 5_000, cacheme.flush({ timeout: 300 }))).toEqual({
      unsaved: 1,
      deadLetters: 0,
    });
    expect(written).toEqual([[1, 1]]);
    gate.save = () => undefined;
    await within(clock, 20_000, cacheme.close());
    expect(written).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it("give up after their time, and report what is lost", async () => {
    const { cacheme, clock, gate, Counter } = await behind({ options: { drainTimeout: "1s" } });
    const left: unknown[] = [];
    cacheme.on("unsavedLeft", (event) => left.push(event));
    gate.save = () => Promise.reject(new Error("down"));
    await cacheme.save(new Counter(1), 1);
    await within(clock, 5_000, cacheme.close());
    expect(left).toEqual([{ journal: "writes", unsaved: 1, isLost: true }]);
  });

  it("refuse a save for which the full journal is still asked", async () => {
    const asked = deferred<void>();
    const journal = lastingJournal();
    const { read } = journal;
    const slow = Object.assign(Object.create(journal), {
      read: (keys: readonly string[]) => asked.promise.then(() => read(keys)),
    });
    const { cacheme, clock, gate, Counter } = await behind({
      journal: slow,
      options: { maxSize: 1, drainTimeout: "1s", deadline: "1m" },
    });
    gate.save = () => Promise.reject(new Error("down"));
    await cacheme.save(new Counter(1), 1);
    const outcome = reason(cacheme.save(new Counter(2), 2));
    await within(clock, 5_000, cacheme.close());
    asked.resolve();
    expect(await outcome).toMatchObject({ code: "CACHEME_JOURNAL_FULL" });
  });
});

describe("a journal that outlives its process", () => {
  it("is written by the next process, once the class is listed", async () => {
    const { journal, clock } = await leftBehind("left");
    const next = await behind({ journal, clock, isRegistered: false });
    await next.cacheme.registerJournal("writes", elsewhere(journal), { nodes: [next.Counter] });
    await pass(clock, 1_100);
    expect(next.written).toEqual([[1, "left"]]);
  });

  it("keeps values of unknown classes, reports them, and writes them at the first use", async () => {
    const { journal, clock } = await leftBehind("left");
    const next = await behind({ journal, clock });
    const waiting: unknown[] = [];
    next.cacheme.on("unsavedWaiting", (event) => waiting.push(event));
    expect((await next.journal.status()).waiting).toEqual([{ node: "counter:1", unsaved: 1 }]);
    expect(waiting).toEqual([{ journal: "writes", node: "counter:1", unsaved: 1 }]);
    expect(next.written).toEqual([]);
    expect(await next.cacheme.get(new next.Counter(1))).toBe("left");
    await pass(clock, 2_000);
    expect(next.written).toEqual([[1, "left"]]);
  });

  it("keeps values of another version of a class, until a newer one replaces them", async () => {
    const { journal, clock } = await leftBehind("of version 1");
    const next = await behind({ journal, clock, meta: { version: 2 } });
    next.cacheme.on("unsavedWaiting", () => {});
    expect(await next.cacheme.get(new next.Counter(1))).toBeUndefined();
    await pass(clock, 2_000);
    expect(next.written).toEqual([]);
    await next.cacheme.save(new next.Counter(1), "of version 2");
    await pass(clock, 2_000);
    expect(next.written).toEqual([[1, "of version 2"]]);
    expect(await next.journal.status()).toMatchObject({ unsaved: 0 });
  });

  it("has the writes of a dead process taken over, and never one key written twice at once", async () => {
    const journal = lastingJournal();
    const clock = new VirtualClock();
    const dead = await behind({ journal, clock, options: { lease: "10s" } });
    const hangs = deferred<void>();
    dead.gate.save = () => hangs.promise;
    await dead.cacheme.save(new dead.Counter(1), "left");
    await pass(clock, 1_100);
    const next = await behind({ journal, clock, isRegistered: false });
    await next.cacheme.registerJournal("writes", elsewhere(journal), { nodes: [next.Counter], delay: 1_000 });
    // The other one extends its claim while it writes.
    await pass(clock, 25_000);
    expect(next.written).toEqual([]);
    Object.assign(journal, { extend: async () => {} });
    next.cacheme.on("journalError", () => {});
    await next.cacheme.save(new next.Counter(2), "keeps it looking");
    await pass(clock, 15_000);
    await next.cacheme.save(new next.Counter(3), "keeps it looking");
    await pass(clock, 2_000);
    expect(next.written.filter(([id]) => id === 1)).toEqual([[1, "left"]]);
  });
});

describe("a journal in trouble", () => {
  it("rejects saves, lets reads go on, and keeps nothing of them in local tiers", async () => {
    const journal = lastingJournal();
    const { cacheme, source, loads, Counter } = await behind({ journal, meta: { caches: localOnly } });
    const errors: string[] = [];
    cacheme.on("journalError", ({ operation }) => errors.push(operation));
    source.set(1, "old");
    const { append, read } = journal;
    Object.assign(journal, {
      append: () => Promise.reject(new Error("disk full")),
      read: () => Promise.reject(new Error("disk full")),
    });
    expect(await reason(cacheme.save(new Counter(1), "new"))).toMatchObject({
      code: "CACHEME_JOURNAL_FAILED",
      message: expect.stringContaining("disk full"),
    });
    expect(await cacheme.get(new Counter(1))).toBe("old");
    expect(cacheme.peekLocal(new Counter(1))).toBeUndefined();
    expect(loads).toEqual([1]);
    expect(errors).toEqual(["append", "read"]);
    Object.assign(journal, { append, read });
    await cacheme.save(new Counter(1), "new");
    expect(await cacheme.get(new Counter(1))).toBe("new");
  });

  it("sends no append while one that took too long may still be carried out", async () => {
    const journal = lastingJournal();
    const { cacheme, clock, Counter } = await behind({ journal, options: { deadline: "1s" } });
    cacheme.on("journalError", () => {});
    const { append } = journal;
    const hangs = deferred<void>();
    Object.assign(journal, {
      append: async (...args: Parameters<Journal["append"]>) => {
        Object.assign(journal, { append });
        await hangs.promise;
        await append(...args);
      },
    });
    const first = reason(cacheme.save(new Counter(1), "first"));
    await settled();
    const second = cacheme.save(new Counter(1), "second");
    await pass(clock, 1_100);
    expect(await first).toMatchObject({ code: "CACHEME_JOURNAL_FAILED" });
    hangs.resolve();
    await second;
    expect(await cacheme.get(new Counter(1))).toBe("second");
  });
});

describe("the registration of a journal", () => {
  it.each([
    [{ delay: "soon" }, "CACHEME_INVALID_DURATION"],
    [{ batchSize: 0 }, "CACHEME_INVALID_OPTION"],
    [{ whenFull: "drop" }, "CACHEME_INVALID_OPTION"],
    [{ isPoison: "no" }, "CACHEME_INVALID_OPTION"],
    [{ nodes: "all" }, "CACHEME_INVALID_OPTION"],
    [{ delays: 1 }, "CACHEME_INVALID_OPTION"],
  ])("refuses %o", async (options, code) => {
    const { cacheme } = await behind();
    const registering = cacheme.registerJournal("other", memoryJournal(), options as RegisterJournalOptions);
    expect(await reason(registering)).toMatchObject({ code });
  });

  it("refuses nodes that are no classes, or do not write behind", async () => {
    const { cacheme, Counter } = await behind();
    class Through extends Node<number> {
      static override meta: NodeMeta = { name: "through", caches: localOnly };
      key() {
        return "1";
      }
    }
    const registering = (...nodes: unknown[]) =>
      reason(cacheme.registerJournal("other", memoryJournal(), { nodes } as RegisterJournalOptions));
    for (const [given, message] of [
      [5, /nodes .* has 5\./],
      [null, /has null/],
      ["counter", /has "counter"/],
      [new Counter(1), /has an object/],
      [Date, /has "Date"/],
      [Through, /class "Through", which does not write behind/],
    ] as const) {
      const error = await registering(Counter, given);
      expect(error).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
      expect((error as Error).message).toMatch(message);
    }
  });

  it("refuses a journal object that another registration has, until its space is closed", async () => {
    const clock = new VirtualClock();
    const journal = memoryJournal();
    const one = await behind({ clock, isRegistered: false });
    await one.cacheme.registerJournal("writes", journal, { delay: "1m", drainTimeout: "1s" });
    await one.cacheme.save(new one.Counter(1), "acknowledged");
    const other = await behind({ clock, isRegistered: false });
    for (const [{ cacheme }, name] of [
      [one, "second"],
      [other, "writes"],
    ] as const) {
      const error = await reason(cacheme.registerJournal(name, journal));
      expect(error).toMatchObject({ code: "CACHEME_DUPLICATE_JOURNAL" });
      expect((error as Error).message).toMatch(/is registered already, as "writes"/);
    }
    expect(await one.cacheme.get(new one.Counter(1))).toBe("acknowledged");
    one.gate.save = () => Promise.reject(new Error("the source is away"));
    one.cacheme.on("unsavedLeft", () => {});
    await within(clock, 5_000, one.cacheme.close());
    await other.cacheme.registerJournal("writes", journal, { nodes: [other.Counter] });
    await pass(clock, 10 * 60_000);
    expect(other.written).toEqual([[1, "acknowledged"]]);
  });

  it("may be registered again if it could not be connected", async () => {
    const { cacheme } = await behind({ isRegistered: false });
    const journal = lastingJournal();
    const { connect } = journal;
    journal.connect = () => Promise.reject(new Error("away"));
    expect(await reason(cacheme.registerJournal("writes", journal))).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
    });
    journal.connect = connect;
    expect((await cacheme.registerJournal("writes", journal)).name).toBe("writes");
  });

  it("refuses a second journal of a name, and what is no journal", async () => {
    const { cacheme } = await behind();
    expect(await reason(cacheme.registerJournal("writes", memoryJournal()))).toMatchObject({
      code: "CACHEME_DUPLICATE_JOURNAL",
    });
    expect(await reason(cacheme.registerJournal("other", {} as Journal))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });

  it("is needed by the classes that use it", async () => {
    const { cacheme, Counter } = await behind({ isRegistered: false });
    expect(await reason(cacheme.save(new Counter(1), 1))).toMatchObject({ code: "CACHEME_UNKNOWN_JOURNAL" });
  });

  it.each([
    { write: "behind" },
    { write: "behind", journal: "" },
    { write: "through", journal: "writes" },
  ] as NodeMeta[])("refuses a class with %o", async (meta) => {
    const { cacheme, Counter } = await behind({ meta: { journal: undefined, ...meta } });
    expect(await reason(cacheme.save(new Counter(1), 1))).toMatchObject({ code: "CACHEME_INVALID_META" });
  });
});
