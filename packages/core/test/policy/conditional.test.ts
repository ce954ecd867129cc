import { describe, expect, it } from "vitest";
import {
  type Cacheme,
  defineNode,
  type Entry,
  encrypted,
  type GetOptions,
  json,
  type LoadAll,
  type LoadContext,
  Node,
  type NodeMeta,
} from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { localOnly, NumberedNode, remoteOnly, space, taggedSpace, twoTiers } from "../support/space.js";
import { tierSetups } from "../support/tier-setups.js";
import { twoProcesses } from "../support/two-processes.js";
import { expectNothingUnhandled } from "../support/unhandled.js";

expectNothingUnhandled();

const minute = 60_000;

/** A class whose source answers with a version and a body, and knows what has not changed. */
function pages(meta: NodeMeta = {}) {
  const source = { etag: "v1", body: "one" };
  const seen: (Entry<string> | undefined)[] = [];
  let unchanged = 0;
  class Page extends NumberedNode<string> {
    static override meta: NodeMeta = { name: "page", caches: twoTiers, keepExpired: "1h", ...meta };
    override async load(context: LoadContext<string>) {
      const { previous } = context;
      seen.push(previous);
      if (previous !== undefined && (previous.kept as { etag: string }).etag === source.etag) {
        unchanged += 1;
        return context.notModified();
      }
      context.keep({ etag: source.etag });
      return source.body;
    }
  }
  return { Page, source, seen, unchanged: () => unchanged };
}

describe("context.previous", () => {
  it.each(tierSetups)(
    "is the expired entry that %s still holds, with its times and kept data",
    async (_, caches) => {
      const { cacheme, clock } = await space();
      const { Page, seen } = pages({ caches });
      await cacheme.get(new Page(1));
      const writtenAt = clock.now();
      const ttl = caches === localOnly ? minute : 10 * minute;
      clock.advance(ttl + 1);
      expect(await cacheme.peek(new Page(1))).toBeUndefined();
      await cacheme.get(new Page(1));
      expect(seen).toHaveLength(2);
      expect(seen[1]).toMatchObject({
        value: "one",
        writtenAt,
        freshUntil: writtenAt + ttl,
        ttl: -1,
        origin: caches === localOnly ? "local" : "remote",
        kept: { etag: "v1" },
      });
    },
  );

  it("is gone after keepExpired", async () => {
    const { cacheme, clock } = await space();
    const { Page, seen } = pages({ caches: remoteOnly });
    await cacheme.get(new Page(1));
    clock.advance(70 * minute);
    await cacheme.get(new Page(1));
    expect(seen).toEqual([undefined, undefined]);
  });

  it("survives a restart, and is seen by other processes", async () => {
    const { clock, one, other } = await twoProcesses();
    const { Page, source, unchanged } = pages();
    await one.cacheme.get(new Page(1));
    await one.cacheme.close();
    clock.advance(11 * minute);
    expect(await other.cacheme.get(new Page(1))).toBe("one");
    expect(unchanged()).toBe(1);
    source.etag = "v2";
    source.body = "two";
    clock.advance(11 * minute);
    expect(await other.cacheme.get(new Page(1))).toBe("two");
  });

  it.each([
    ["invalidate", (cacheme: Cacheme, node: Node) => cacheme.invalidate(node)],
    ["a tag", (cacheme: Cacheme) => cacheme.invalidateTags("pages")],
  ])("is never what was invalidated: by %s, here and elsewhere", async (_, invalidate) => {
    const { cacheme, clock, process } = await taggedSpace();
    const other = await process();
    for (const invalidator of [cacheme, other]) {
      const { Page, seen } = pages();
      const name = invalidator === cacheme ? "here" : "elsewhere";
      class Tagged extends Page {
        static override meta: NodeMeta = { ...Page.meta, name };
        override tags() {
          return ["pages"];
        }
      }
      await cacheme.get(new Tagged(1));
      clock.advance(11 * minute);
      await cacheme.get(new Tagged(1));
      expect(seen[1]).toBeDefined();
      clock.advance(11 * minute);
      await invalidate(invalidator, new Tagged(1));
      await cacheme.get(new Tagged(1));
      expect(seen[2]).toBeUndefined();
      await cacheme.invalidate(new Tagged(1));
    }
  });

  it("is never what was cleared", async () => {
    const { cacheme, clock } = await space();
    const { Page, seen } = pages({ caches: localOnly });
    await cacheme.get(new Page(1));
    clock.advance(2 * minute);
    await cacheme.clear();
    await cacheme.get(new Page(1));
    expect(seen).toEqual([undefined, undefined]);
  });

  it("is dropped if the key is invalidated between the read and the load", async () => {
    const { cacheme, clock } = await space();
    const { Page, seen } = pages({ caches: remoteOnly, concurrency: 1 });
    await cacheme.get(new Page(1));
    clock.advance(11 * minute);
    const gate = deferred();
    const blocker = cacheme.get(new Page(2), {
      load: async () => {
        await gate.promise;
        return "blocker";
      },
    });
    await settled();
    const read = cacheme.get(new Page(1)); // Has read the tier, and stands in line for its load.
    await settled();
    await cacheme.invalidate(new Page(1));
    gate.resolve();
    await Promise.all([blocker, read]);
    expect(seen.at(-1)).toBeUndefined();
  });

  it("is also the fresh entry of a refresh", async () => {
    const { cacheme } = await space();
    const { Page, seen, unchanged } = pages({ caches: localOnly });
    await cacheme.get(new Page(1));
    await cacheme.refresh(new Page(1));
    expect(seen[1]).toMatchObject({ value: "one", kept: { etag: "v1" } });
    expect(unchanged()).toBe(1);
  });
});

describe("context.previous of a refresh", () => {
  it.each<[string, GetOptions<Node>]>([
    ["fresh", { fresh: true }],
    ["maxAge", { maxAge: 10 }],
  ])("with %s is never a value whose tag was invalidated before the load began", async (_, options) => {
    const { cacheme, clock } = await space();
    const { Page, seen } = pages({ caches: localOnly });
    class Tagged extends Page {
      override tags() {
        return ["pages"];
      }
    }
    await cacheme.get(new Tagged(1));
    clock.advance(1_000);
    const read = cacheme.get(new Tagged(1), options);
    await cacheme.invalidateTags("pages");
    await read;
    expect(seen.map((previous) => previous?.value)).toEqual([undefined, undefined]);
  });

  it("is nothing that another process has removed", async () => {
    const { cacheme, process } = await taggedSpace();
    const other = await process();
    const { Page, seen } = pages();
    await cacheme.get(new Page(1));
    await settled();
    await other.invalidate(new Page(1));
    await cacheme.get(new Page(1), { fresh: true });
    expect(seen.map((previous) => previous?.value)).toEqual([undefined, undefined]);
  });

  it("is the entry of a remote tier that is too old for the reader, while its tags are current", async () => {
    for (const isInvalidated of [false, true]) {
      const { cacheme, clock } = await taggedSpace();
      const gate = deferred<string>();
      const seen: unknown[] = [];
      const tagged = defineNode({
        name: "tagged",
        caches: twoTiers,
        concurrency: 1,
        key: (id: number) => `${id}`,
        tags: () => ["pages"],
        load: async (id: number, { previous }: LoadContext) => {
          if (id === 2) return await gate.promise;
          seen.push(previous?.value);
          return "body";
        },
      });
      await cacheme.get(tagged(1));
      clock.advance(1_000);
      const slot = cacheme.get(tagged(2));
      const read = cacheme.get(tagged(1), { maxAge: 10 });
      await settled();
      if (isInvalidated) await cacheme.invalidateTags("pages");
      gate.resolve("two");
      await Promise.all([slot, read]);
      expect(seen).toEqual([undefined, isInvalidated ? undefined : "body"]);
    }
  });
});

describe("context.notModified", () => {
  it("renews the value for another ttl, with its kept data, time after time", async () => {
    const { cacheme, clock } = await space();
    const { Page, source, unchanged } = pages();
    await cacheme.get(new Page(1));
    for (let round = 1; round <= 3; round++) {
      clock.advance(11 * minute);
      expect(await cacheme.get(new Page(1))).toBe("one");
      expect(unchanged()).toBe(round);
      await cacheme.clear();
      expect(await cacheme.peek(new Page(1))).toMatchObject({
        value: "one",
        writtenAt: clock.now(),
        ttl: 10 * minute,
        kept: { etag: "v1" },
      });
    }
    source.etag = "v2";
    source.body = "two";
    clock.advance(11 * minute);
    expect(await cacheme.get(new Page(1))).toBe("two");
  });

  it("keeps the value's tags, so that an invalidation still reaches it", async () => {
    const { cacheme, clock } = await space();
    class Tagged extends Node<string> {
      static override meta: NodeMeta = { name: "tagged", caches: localOnly, keepExpired: "1h" };
      static loads = 0;
      key() {
        return "k";
      }
      override load(context: LoadContext<string>) {
        Tagged.loads += 1;
        if (context.previous !== undefined) return context.notModified();
        context.tag("told");
        return "value";
      }
    }
    await cacheme.get(new Tagged());
    clock.advance(11 * minute);
    await cacheme.get(new Tagged());
    expect((await cacheme.peek(new Tagged()))?.tags).toEqual(["told"]);
    await cacheme.get(new Tagged());
    expect(Tagged.loads).toBe(2);
    await cacheme.invalidateTags("told");
    await cacheme.get(new Tagged());
    expect(Tagged.loads).toBe(3);
  });

  it("does not bring back what was invalidated or replaced while the source was asked", async () => {
    const { clock, one, other } = await twoProcesses();
    for (const meddler of [one, other]) {
      const gate = deferred();
      let loads = 0;
      class Slow extends Node<string> {
        static override meta: NodeMeta = { name: "slow", caches: twoTiers, keepExpired: "1h" };
        key() {
          return "k";
        }
        override async load(context: LoadContext<string>) {
          loads += 1;
          if (context.previous === undefined) return `load ${loads}`;
          await gate.promise;
          return context.notModified();
        }
      }
      await one.cacheme.get(new Slow());
      clock.advance(11 * minute);
      const read = one.cacheme.get(new Slow());
      await settled();
      await meddler.cacheme.set(new Slow(), "newer");
      gate.resolve();
      await read;
      expect(await one.cacheme.get(new Slow())).toBe("newer");
      expect(await other.cacheme.get(new Slow())).toBe("newer");
      await one.cacheme.invalidate(new Slow());
    }
  });

  it("needs a previous value, and the node's own context", async () => {
    const { cacheme, clock } = await space();
    const lone = defineNode({
      name: "lone",
      key: () => "k",
      caches: localOnly,
      load: (_: undefined, context: LoadContext): string => context.notModified(),
    });
    await expect(cacheme.get(lone())).rejects.toMatchObject({
      code: "CACHEME_NO_PREVIOUS",
      node: "lone",
      key: "k",
    });
    class Bulk extends NumberedNode<number> {
      static override meta: NodeMeta = { name: "bulk", caches: localOnly, keepExpired: "1h" };
      static override loadAll: LoadAll<Bulk> = (nodes, context) => {
        const first = context.for(nodes[0] as Bulk);
        return nodes.map(({ id }) => (first.previous === undefined ? id : first.notModified()));
      };
    }
    await cacheme.getAll([new Bulk(1), new Bulk(2)]);
    clock.advance(2 * minute);
    expect(await cacheme.getAllSettled([new Bulk(1), new Bulk(2)])).toMatchObject([
      { value: 1 },
      { reason: { code: "CACHEME_LOAD_SHAPE" } },
    ]);
  });

  it("works in getSync", async () => {
    const { cacheme, clock } = await space();
    const sync = defineNode({
      name: "sync",
      key: () => "k",
      caches: localOnly,
      keepExpired: "1h",
      load: (_: undefined, context: LoadContext): string => {
        if (context.previous?.kept === 7) return context.notModified();
        context.keep(7);
        return `at ${clock.now()}`;
      },
    });
    const first = cacheme.getSync(sync());
    clock.advance(2 * minute);
    expect(cacheme.getSync(sync())).toBe(first);
    expect(cacheme.peekLocal(sync())).toMatchObject({ writtenAt: clock.now(), kept: 7 });
  });
});

describe("context.keep", () => {
  it("takes a copy of plain data", async () => {
    const { cacheme } = await space();
    const data = { etag: "v1", parts: [1] };
    const node = defineNode({
      name: "kept",
      key: () => "k",
      caches: localOnly,
      load: (_: undefined, { keep }: LoadContext) => {
        keep(data);
        data.parts.push(2);
        return 1;
      },
    });
    await cacheme.get(node());
    expect(cacheme.peekLocal(node())?.kept).toEqual({ etag: "v1", parts: [1] });
  });

  it("refuses other data, and too much of them", async () => {
    const { cacheme } = await space();
    for (const [data, message] of [
      [() => 1, "expected plain data"],
      ["x".repeat(5_000), "expected at most 4096 bytes as JSON, got 5002"],
    ] as const) {
      const node = defineNode({
        name: "kept",
        key: () => "k",
        caches: localOnly,
        load: (_: undefined, { keep }: LoadContext) => {
          keep(data);
          return 1;
        },
      });
      await expect(cacheme.get(node())).rejects.toMatchObject({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringContaining(message),
      });
    }
  });

  it("is encrypted with the value", async () => {
    const { one, server } = await twoProcesses();
    const keys = [{ id: "1", key: Buffer.alloc(32, 7) }];
    const { Page } = pages({ serializer: encrypted(json(), { keys }) });
    await one.cacheme.get(new Page(1));
    const [bytes] = await server.readMany(["cacheme:page:1:1"]);
    expect(bytes).toBeDefined();
    expect(Buffer.from(bytes ?? []).includes("etag")).toBe(false);
    await one.cacheme.clear();
    expect((await one.cacheme.peek(new Page(1)))?.kept).toEqual({ etag: "v1" });
  });
});
