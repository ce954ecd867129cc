import { afterEach, describe, expect, it, vi } from "vitest";
import { Cacheme, memory, type NodeMeta, nullStorage, valueType } from "../src/index.js";
import { deferred } from "./support/deferred.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { countingNode, localOnly, remoteOnly, twoTiers } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

type Values = "frozen" | "shared" | "cloned";

const clock = new VirtualClock();

async function space(values: Values | undefined, more: Readonly<Record<string, Values>> = {}) {
  const cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory({ values }));
  await cacheme.registerStorage("remote", new SimulatedRemote(clock));
  for (const [name, mode] of Object.entries(more))
    await cacheme.registerStorage(name, memory({ values: mode }));
  return cacheme;
}

const record = () => ({
  tags: ["a"],
  bytes: Buffer.from("b"),
  at: new Date(0),
  rates: new Map([["eur", { rate: 1 }]]),
});

/** Reads a node in all ways: three readers of one load, later readers, and peeks. */
async function readAll(cacheme: Cacheme, meta: NodeMeta) {
  const { Counting } = countingNode(meta, record);
  const node = new Counting(1);
  const together = await Promise.all([
    cacheme.get(node),
    cacheme.get(node, { signal: new AbortController().signal }),
    cacheme.getAll([node, node]),
  ]);
  const later = [await cacheme.get(node), ...(await cacheme.getAll([node]))];
  const looks = [cacheme.peekLocal(node)?.value, (await cacheme.peek(node))?.value];
  return [...together.flat(), ...later, ...looks].filter((value) => value !== undefined);
}

describe('values: "cloned"', () => {
  it.each([
    ["a local tier", localOnly],
    ["a local and a remote tier", twoTiers],
  ])("gives each reader an equal copy of its own with %s", async (_tiers, caches) => {
    const values = await readAll(await space("cloned"), { caches });

    expect(values).toHaveLength(8);
    for (const value of values) expect(value).toEqual(record());
    expect(values.every((value) => Buffer.isBuffer(value.bytes))).toBe(true);
    type Part = (value: ReturnType<typeof record>) => unknown;
    const parts: readonly Part[] = [
      (v) => v,
      (v) => v.tags,
      (v) => v.bytes.buffer,
      (v) => v.rates.get("eur"),
    ];
    for (const part of parts) {
      expect(new Set(values.map(part)).size).toBe(8);
    }
  });

  it("gives a joined reader a value that the first one has not changed", async () => {
    const cacheme = await space("cloned");
    const loading = deferred<{ list: number[] }>();
    const { Counting } = countingNode({ caches: localOnly }, () => loading.promise);
    const first = cacheme.get(new Counting(1)).then((value) => value.list.push(2));
    const joined = cacheme.get(new Counting(1));

    loading.resolve({ list: [1] });
    await first;

    expect((await joined).list).toEqual([1]);
    expect((await cacheme.get(new Counting(1))).list).toEqual([1]);
  });

  it("gives copies of a load that is not stored too, and to readers that overtake by maxAge or refresh", async () => {
    const cacheme = await space("cloned");
    const { Counting } = countingNode({ caches: localOnly }, record);
    const node = new Counting(1);
    const load = (context: { skip(): void }) => {
      context.skip();
      return record();
    };

    const skipped = await Promise.all([cacheme.get(node, { load }), cacheme.get(node, { load })]);
    const refreshed = await Promise.all([cacheme.refresh(node), cacheme.refresh(node)]);
    clock.advance(10);
    const young = await Promise.all([cacheme.get(node, { maxAge: 1 }), cacheme.get(node, { maxAge: 1 })]);

    const all = [...skipped, ...refreshed, ...young];
    expect(new Set(all).size).toBe(6);
    for (const value of all) expect(value).toEqual(record());
  });

  it("rejects every reader with the load's error", async () => {
    const cacheme = await space("cloned");
    const { Counting } = countingNode({ caches: localOnly }, () => Promise.reject(new Error("down")));

    const outcomes = await Promise.allSettled([1, 1, 1].map((id) => cacheme.get(new Counting(id))));

    expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  it("gives readers of getSync and of set values their own copies", async () => {
    const cacheme = await space("cloned");
    const { Counting } = countingNode({ caches: localOnly }, record);
    const mine = record();

    const loaded = cacheme.getSync(new Counting(1) as never) as ReturnType<typeof record>;
    const again = cacheme.getSync(new Counting(1) as never) as ReturnType<typeof record>;
    await cacheme.set(new Counting(2), mine);
    mine.tags.push("changed");

    expect(again).toEqual(loaded);
    expect(again.tags).not.toBe(loaded.tags);
    expect((await cacheme.get(new Counting(2))).tags).toEqual(["a"]);
  });

  it("does not store a value that it cannot copy exactly, and copies it with its type", async () => {
    const cacheme = await space("cloned");
    const notStored: unknown[] = [];
    cacheme.on("notStored", ({ error }) => notStored.push(error.message));
    const url = valueType({
      tag: "URL",
      class: URL,
      encode: (it) => it.href,
      decode: (href) => new URL(href),
    });
    await cacheme.registerStorage("typed", memory({ values: "cloned", types: [url] }));
    const source = () => ({ home: new URL("https://example.com/") });
    const refused = countingNode({ name: "refused", caches: localOnly }, source);
    const typed = countingNode({ name: "typed", caches: [{ storage: "typed" }] }, source);

    await cacheme.get(new refused.Counting(1));
    const first = await cacheme.get(new typed.Counting(1));
    const second = await cacheme.get(new typed.Counting(1));

    expect(cacheme.peekLocal(new refused.Counting(1))).toBeUndefined();
    expect(notStored).toEqual([
      expect.stringContaining('$.home is an instance of URL, which memory({ values: "cloned" }) cannot copy'),
    ]);
    expect(second.home).toBeInstanceOf(URL);
    expect([second.home.href, second.home === first.home]).toEqual(["https://example.com/", false]);
  });
});

describe('values: "frozen"', () => {
  it.each([
    ["a local tier", localOnly],
    ["two tiers", twoTiers],
    ["a remote tier alone", remoteOnly],
    ["no tier", []],
    ["a storage that keeps nothing", [{ storage: "null" }]],
  ])("applies to every reader of a class with %s", async (_tiers, caches) => {
    vi.stubEnv("NODE_ENV", "development");
    const cacheme = await space(undefined);
    await cacheme.registerStorage("null", nullStorage());

    const values = await readAll(cacheme, { caches });

    expect(values.length).toBeGreaterThanOrEqual(6);
    for (const value of values) expect([value, value.tags].every(Object.isFrozen)).toBe(true);
  });

  it("applies to no reader in production", async () => {
    vi.stubEnv("NODE_ENV", "production");

    const values = await readAll(await space(undefined), { caches: remoteOnly });

    expect(values.some(Object.isFrozen)).toBe(false);
  });

  it("applies to a value that was not to be stored", async () => {
    const cacheme = await space("frozen");
    const { Counting } = countingNode({ caches: localOnly }, record);

    const value = await cacheme.get(new Counting(1), {
      load: (context) => {
        context.skip();
        return record();
      },
    });

    expect(Object.isFrozen(value)).toBe(true);
  });

  it("caches the same values as production does", async () => {
    const odd = [
      await import("../src/entry/freeze.js"),
      Object.defineProperty({}, "odd", { get: () => expect.fail("odd"), enumerable: true }),
    ];
    for (const environment of ["development", "production"]) {
      vi.stubEnv("NODE_ENV", environment);
      const cacheme = await space(undefined);
      const { Counting } = countingNode({ caches: localOnly }, (id) => odd[id]);
      for (const [id, value] of odd.entries()) {
        await cacheme.get(new Counting(id));
        expect(cacheme.peekLocal(new Counting(id))?.value).toBe(value);
      }
    }
  });
});

describe("several local tiers", () => {
  it.each([
    ["frozen", "cloned", [true, 1]],
    ["cloned", "frozen", [false, 6]],
    ["shared", "cloned", [false, 1]],
    ["shared", "frozen", [true, 1]],
  ] as const)(
    "of %s before %s give the form of the nearest, unless another one froze the value",
    async (near, far, [frozen, objects]) => {
      const cacheme = await space(near, { far });
      const caches = [{ storage: "local" }, { storage: "far" }];
      const { Counting } = countingNode({ caches }, record);
      const node = new Counting(1);

      const values = [
        ...(await Promise.all([cacheme.get(node), cacheme.get(node), cacheme.get(node)])),
        await cacheme.get(node),
        await cacheme.get(node),
        cacheme.peekLocal(node)?.value,
      ];

      expect(new Set(values).size).toBe(objects);
      expect(Object.isFrozen(values[4])).toBe(frozen);
    },
  );
});
