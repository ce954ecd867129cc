import { describe, expect, it } from "vitest";
import { Cacheme, memory, Node, type NodeMeta } from "../../src/index.js";
import { deferred } from "../support/deferred.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** A class whose source does what the test says. */
async function saving(
  act: (node: Item, cacheme: Cacheme) => Promise<void> | void,
  meta: Partial<NodeMeta> = {},
) {
  const cacheme = new Cacheme({ clock: new VirtualClock() });
  await cacheme.registerStorage("local", memory());
  const saved: string[] = [];
  class Some extends Node<string> implements Item {
    static override meta: NodeMeta = { name: "item", caches: [{ storage: "local" }], ...meta };
    constructor(readonly id: string) {
      super();
    }
    key() {
      return this.id;
    }
    another(id: string) {
      return new Some(id);
    }
    override async save() {
      await act(this, cacheme);
      saved.push(this.id);
    }
  }
  return { cacheme, Some, saved };
}

interface Item extends Node<string> {
  readonly id: string;
  another(id: string): Item;
}

describe.each(["through", "around"] as const)("a save that its own source makes: %s", (write) => {
  it("rejects at once, and names the node and the key", async () => {
    const { cacheme, Some, saved } = await saving((node, space) => space.save(node.another("a"), "again"), {
      write,
    });
    await expect(cacheme.save(new Some("a"), "value")).rejects.toMatchObject({
      code: "CACHEME_SAVE_CYCLE",
      message: expect.stringContaining("item:a → item:a"),
    });
    expect(saved).toEqual([]);
  });

  it("lets the source catch the error and go on", async () => {
    const { cacheme, Some, saved } = await saving(
      (node, space) => space.save(node.another("a"), "x").catch(() => {}),
      {
        write,
      },
    );
    await cacheme.save(new Some("a"), "value");
    expect(saved).toEqual(["a"]);
    await cacheme.save(new Some("a"), "value");
    expect(saved).toEqual(["a", "a"]);
  });

  it("rejects if the circle goes through other saves, and shows them", async () => {
    const next: Record<string, string> = { a: "b", b: "c", c: "a" };
    const { cacheme, Some } = await saving(
      (node, space) => space.save(node.another(next[node.id] ?? ""), "x"),
      {
        write,
      },
    );
    await expect(cacheme.save(new Some("a"), "value")).rejects.toMatchObject({
      code: "CACHEME_SAVE_CYCLE",
      message: expect.stringMatching(/item:c → item:a → item:b → item:c/),
    });
  });

  it("rejects if two saves wait for each other", async () => {
    const both = deferred<void>();
    let begun = 0;
    const { cacheme, Some } = await saving(
      async (node, space) => {
        if (++begun === 2) both.resolve();
        await both.promise;
        await space.save(node.another(node.id === "a" ? "b" : "a"), "x");
      },
      { write },
    );
    const outcomes = await Promise.allSettled([
      cacheme.save(new Some("a"), "1"),
      cacheme.save(new Some("b"), "2"),
    ]);
    const reasons = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [outcome.reason.code] : [],
    );
    expect(reasons).toContain("CACHEME_SAVE_CYCLE");
  });

  it("saves another node, and the same key of a save that has ended", async () => {
    const { cacheme, Some, saved } = await saving(
      (node, space) => (node.id === "a" ? space.save(node.another("b"), "x") : undefined),
      { write },
    );
    await Promise.all([
      cacheme.save(new Some("b"), "0"),
      cacheme.save(new Some("a"), "1"),
      cacheme.save(new Some("a"), "2"),
    ]);
    expect(saved).toEqual(["b", "b", "a", "b", "a"]);
  });
});

describe("a save that a source leaves to a consumer", () => {
  it("waits its turn like any other, once the source's own save has ended", async () => {
    const message = deferred<void>();
    const gate = deferred<void>();
    const consumed: Promise<void>[] = [];
    let calls = 0;
    const { cacheme, Some, saved } = await saving(async (node, space) => {
      calls += 1;
      // The consumer, such as a timer or the reader of a queue, keeps the context in which it began.
      if (calls === 1) void message.promise.then(() => consumed.push(space.save(node.another("a"), "3")));
      if (calls !== 2) return;
      message.resolve();
      await gate.promise;
    });
    const first = cacheme.save(new Some("a"), "1");
    const second = cacheme.save(new Some("a"), "2");
    await Promise.all([first, message.promise]);
    gate.resolve();
    await second;
    expect(await Promise.allSettled(consumed)).toMatchObject([{ status: "fulfilled" }]);
    expect(saved).toEqual(["a", "a", "a"]);
  });
});

describe("a saveAll", () => {
  it("refuses a save of one of its keys", async () => {
    const cacheme = new Cacheme({ clock: new VirtualClock() });
    await cacheme.registerStorage("local", memory());
    class Row extends Node<string> {
      static override meta: NodeMeta = { name: "row", caches: [{ storage: "local" }] };
      constructor(readonly id: number) {
        super();
      }
      key() {
        return `${this.id}`;
      }
      static override saveAll = async () => {
        await cacheme.save(new Row(2), "again");
      };
    }
    const outcomes = await Promise.allSettled([1, 2, 3].map((id) => cacheme.save(new Row(id), "value")));
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "CACHEME_SAVE_CYCLE" } });
  });
});
