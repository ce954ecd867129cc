import { describe, expect, it } from "vitest";
import { Cacheme, defineNode, memory } from "../../src/index.js";
import { reason } from "../support/reason.js";
import { localOnly } from "../support/space.js";

/** A space whose invalidations are listed, with nodes of both ways to write. */
async function transactional() {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory());
  const source = new Map<string, string>();
  const row = defineNode({
    name: "row",
    caches: localOnly,
    key: (id: string) => id,
    load: (id): string | undefined => source.get(id),
    save: (id, value) => {
      source.set(id, value ?? "");
    },
    tags: () => ["rows"],
  });
  const invalidated: string[] = [];
  cacheme.on("invalidate", ({ key }) => invalidated.push(key));
  cacheme.on("invalidateTags", ({ tags }) => invalidated.push(...tags));
  return { cacheme, row, source, invalidated };
}

describe("afterCommit", () => {
  it("invalidates each key and tag once, after the transaction", async () => {
    const { cacheme, row, invalidated } = await transactional();
    const answer = await cacheme.afterCommit(async () => {
      await cacheme.invalidate(row("a"));
      await Promise.resolve();
      await cacheme.invalidate(row("a"), row("b"));
      await cacheme.invalidateTags("rows");
      await cacheme.invalidateTags("rows");
      expect(invalidated).toEqual([]);
      return "committed";
    });
    expect(answer).toBe("committed");
    expect(invalidated.toSorted()).toEqual(["a", "b", "rows"]);
  });

  it("invalidates nothing if the transaction is rolled back", async () => {
    const { cacheme, row, invalidated } = await transactional();
    await cacheme.set(row("a"), "old");
    const rolledBack = cacheme.afterCommit(async () => {
      await cacheme.invalidate(row("a"));
      await cacheme.invalidateTags("rows");
      throw new Error("rolled back");
    });
    expect(await reason(rolledBack)).toEqual(new Error("rolled back"));
    expect(invalidated).toEqual([]);
    // A read within it could have stored its own row.
    expect(cacheme.peekLocal(row("a"))).toBeUndefined();
  });

  it("keeps the values of a transaction from other readers until its commit", async () => {
    const { cacheme, row, source } = await transactional();
    await cacheme.set(row("a"), "old");
    await cacheme.afterCommit(async () => {
      await cacheme.save(row("a"), "new");
      expect(source.get("a")).toBe("new");
      expect(await cacheme.get(row("a"))).toBe("old");
    });
    expect(cacheme.peekLocal(row("a"))).toBeUndefined();
    expect(await cacheme.get(row("a"))).toBe("new");
  });

  it("waits for the outermost transaction, and forgets an inner one that is rolled back", async () => {
    const { cacheme, row, invalidated } = await transactional();
    await cacheme.afterCommit(async () => {
      await cacheme.afterCommit(() => cacheme.invalidate(row("kept")));
      const inner = cacheme.afterCommit(async () => {
        await cacheme.invalidate(row("dropped"));
        throw new Error("savepoint");
      });
      await reason(inner);
      expect(invalidated).toEqual([]);
    });
    expect(invalidated).toEqual(["kept"]);
  });

  it("concerns no call outside of the function, and no call after its end", async () => {
    const { cacheme, row, invalidated } = await transactional();
    let later: Promise<void> = Promise.resolve();
    const transaction = cacheme.afterCommit(async () => {
      later = new Promise((resolve) => setImmediate(() => resolve(cacheme.invalidate(row("late")))));
      await Promise.resolve();
    });
    await cacheme.invalidate(row("outside"));
    expect(invalidated).toEqual(["outside"]);
    await transaction;
    await later;
    expect(invalidated).toEqual(["outside", "late"]);
  });

  it("is not joined by another space", async () => {
    const { cacheme, invalidated } = await transactional();
    const other = await transactional();
    await cacheme.afterCommit(async () => {
      await other.cacheme.invalidate(other.row("a"));
      expect(other.invalidated).toEqual(["a"]);
    });
    expect(invalidated).toEqual([]);
  });
});
