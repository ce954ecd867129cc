import { describe, expect, it } from "vitest";
import { Cacheme, defineNode, memory, memoryJournal, type NodeMeta } from "../../src/index.js";
import { pass } from "../support/advancing.js";
import { deferred, settled } from "../support/deferred.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { reason } from "../support/reason.js";
import { localOnly, remoteOnly } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

async function setting() {
  const clock = new VirtualClock();
  const cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", new LeasedRemote(clock, new LeasedRemote(clock)));
  return { clock, cacheme };
}

/** A row whose source takes each value when the test ends its call. */
function heldRow(meta: Omit<NodeMeta, "name">) {
  const source = new Map<number, unknown>();
  const calls: { readonly value: unknown; readonly end: () => void }[] = [];
  const row = defineNode({
    name: "row",
    key: (id: number) => `${id}`,
    load: (id): unknown => source.get(id),
    save: async (id, value) => {
      const ended = deferred();
      calls.push({ value, end: () => ended.resolve() });
      await ended.promise;
      source.set(id, value);
    },
    caches: localOnly,
    saveTimeout: "1s",
    ...meta,
  });
  return { row, source, calls, values: () => calls.map(({ value }) => value) };
}

/** Rows whose `saveAll` answers as given. */
function answering(answer: () => unknown) {
  return defineNode({
    name: "row",
    key: (id: number) => `${id}`,
    load: (): unknown => "source",
    saveAll: () => answer(),
    caches: localOnly,
  });
}

describe("a refused save", () => {
  it("keeps nobody from closing", async () => {
    const { cacheme } = await setting();
    const row = defineNode({
      name: "row",
      key: () => "1",
      load: (): unknown => 0,
      save: () => {},
      caches: remoteOnly,
    });
    expect(await reason(cacheme.save(row(), () => {}))).toMatchObject({ code: "CACHEME_NOT_SERIALIZABLE" });
    await cacheme.close();
    expect(await reason(cacheme.save(row(), 1))).toMatchObject({ code: "CACHEME_CLOSED" });
  });

  it("saves nothing of a list with an entry that is no pair", async () => {
    const { cacheme } = await setting();
    const saved: unknown[] = [];
    const row = answering(() => saved.push("saved"));
    for (const bad of [null, 1, [row(2)], "ab"]) {
      const given = [[row(1), 1], bad] as never;
      const refusal = {
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringContaining("[[new UserNode(1), user]]"),
      };
      expect(await reason(cacheme.saveAll(given))).toMatchObject(refusal);
      expect(await reason(cacheme.setAll(given))).toMatchObject(refusal);
    }
    await settled();
    expect(saved).toEqual([]);
    expect(cacheme.peekLocal(row(1))).toBeUndefined();
  });

  it("says which options are unknown", async () => {
    const { cacheme } = await setting();
    const row = answering(() => {});
    for (const options of [{ ttll: 1 }, null, "1m"] as never[]) {
      const refusal = { code: "CACHEME_INVALID_OPTION" };
      expect(await reason(cacheme.save(row(1), 1, options))).toMatchObject(refusal);
      expect(await reason(cacheme.saveAll([[row(1), 1]], options))).toMatchObject(refusal);
      expect(await reason(cacheme.set(row(1), 1, options))).toMatchObject(refusal);
      expect(await reason(cacheme.setAll([[row(1), 1]], options))).toMatchObject(refusal);
    }
    expect(await reason(cacheme.afterCommit(undefined as never))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });
});

describe("an answer of a source that calls values failed", () => {
  it.each<[string, () => unknown, object[]]>([
    ["an error", () => new Error("down"), [{ message: "down" }, { message: "down" }]],
    [
      "outcomes of allSettled",
      () => Promise.allSettled([Promise.resolve(1), Promise.reject(new Error("down"))]),
      [{}, { message: "down" }],
    ],
    ["too few errors", () => [new Error("down")], Array(2).fill({ code: "CACHEME_SAVE_SHAPE" })],
    ["too many promises", () => [0, 0, Promise.resolve()], Array(2).fill({ code: "CACHEME_SAVE_SHAPE" })],
  ])("saves none of them: %s", async (_, answer, failures) => {
    const { cacheme } = await setting();
    const row = answering(answer);
    const outcomes = await Promise.allSettled([cacheme.save(row(0), "new"), cacheme.save(row(1), "new")]);
    for (const [place, outcome] of outcomes.entries()) {
      const { code, message } = (failures[place] ?? {}) as { code?: string; message?: string };
      const isFailed = code !== undefined || message !== undefined;
      expect(outcome.status).toBe(isFailed ? "rejected" : "fulfilled");
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject(failures[place] ?? {});
      expect(cacheme.peekLocal(row(place))?.value).toBe(isFailed ? undefined : "new");
    }
  });

  it("tells them from rows, also of another number", async () => {
    const { cacheme } = await setting();
    const row = answering(() => [{ id: 1, status: "rejected", reason: "late" }, {}, {}]);
    await cacheme.saveAll([
      [row(0), "new"],
      [row(1), "new"],
    ]);
    expect(cacheme.peekLocal(row(0))?.value).toBe("new");
  });
});

describe("a write that took too long", () => {
  it("is waited for by the next one of its key, and by no other", async () => {
    const { cacheme, clock } = await setting();
    const { row, source, calls, values } = heldRow({});
    const old = reason(cacheme.save(row(1), "old"));
    await pass(clock, 1_000);
    expect(await old).toMatchObject({ code: "CACHEME_SAVE_TIMEOUT" });
    const newer = cacheme.save(row(1), "new");
    const other = cacheme.save(row(2), "other");
    await pass(clock, 500);
    expect(values()).toEqual(["old", "other"]);
    calls[1]?.end();
    await other;
    calls[0]?.end();
    await settled();
    expect(values()).toEqual(["old", "other", "new"]);
    calls[2]?.end();
    await newer;
    expect([source.get(1), await cacheme.get(row(1))]).toEqual(["new", "new"]);
  });

  it("is waited for no longer than another saveTimeout; then the caches follow the source", async () => {
    const { cacheme, clock } = await setting();
    const { row, source, calls, values } = heldRow({});
    const old = reason(cacheme.save(row(1), "old"));
    await pass(clock, 1_000);
    await old;
    const newer = cacheme.save(row(1), "new");
    await pass(clock, 1_000);
    expect(values()).toEqual(["old", "new"]);
    calls[1]?.end();
    await newer;
    expect(await cacheme.get(row(1))).toBe("new");
    calls[0]?.end();
    await settled();
    expect([source.get(1), await cacheme.get(row(1))]).toEqual(["old", "old"]);
  });

  it("does not overwrite a newer value that is written behind", async () => {
    const { cacheme, clock } = await setting();
    await cacheme.registerJournal("writes", memoryJournal(), { delay: 100, retryDelay: 100 });
    const { row, source, calls, values } = heldRow({ write: "behind", journal: "writes" });
    await cacheme.save(row(1), "old");
    await pass(clock, 300);
    await cacheme.save(row(1), "new");
    await pass(clock, 1_500);
    expect(values()).toEqual(["old"]);
    calls[0]?.end();
    await pass(clock, 500);
    expect(values()).toEqual(["old", "new"]);
    calls[1]?.end();
    await pass(clock, 500);
    expect(source.get(1)).toBe("new");
  });
});

describe("a transaction", () => {
  it("is rolled back by a value that the journal could not carry", async () => {
    const { cacheme } = await setting();
    await cacheme.registerJournal("writes", memoryJournal(), { delay: 100 });
    const { row } = heldRow({ write: "behind", journal: "writes" });
    let isCommitted = false;
    const transaction = cacheme.afterCommit(async () => {
      await cacheme.save(row(1), () => {});
      isCommitted = true;
    });
    expect(await reason(transaction)).toMatchObject({ code: "CACHEME_NOT_SERIALIZABLE" });
    expect(isCommitted).toBe(false);
    const value = { count: 1 };
    await cacheme.afterCommit(async () => {
      await cacheme.save(row(2), value);
      value.count = 2;
    });
    expect(await cacheme.get(row(2))).toEqual({ count: 1 });
  });

  it("leaves no value in the caches that it has read before its roll-back", async () => {
    const { cacheme } = await setting();
    let stored = "committed";
    const row = defineNode({
      name: "row",
      key: () => "1",
      load: (): string => stored,
      save: (_, value) => {
        stored = value;
      },
      caches: localOnly,
    });
    const transaction = cacheme.afterCommit(async () => {
      await cacheme.save(row(), "uncommitted");
      expect(await cacheme.get(row())).toBe("uncommitted");
      stored = "committed";
      throw new Error("rolled back");
    });
    expect(await reason(transaction)).toEqual(new Error("rolled back"));
    expect(await cacheme.get(row())).toBe("committed");
  });
});
