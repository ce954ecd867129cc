import { describe, expect, it } from "vitest";
import {
  CachedError,
  Cacheme,
  type CachemeEvents,
  compressed,
  defineNode,
  encrypted,
  json,
  LoadError,
  memory,
  msgpack,
  Node,
  type NodeMeta,
  type Serializer,
  v8,
} from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { countingNode, localOnly, space, taggedSpace, twoTiers } from "../support/space.js";
import { tierSetups } from "../support/tier-setups.js";
import { twoProcesses } from "../support/two-processes.js";
import { expectNothingUnhandled } from "../support/unhandled.js";
import { VirtualClock } from "../support/virtual-clock.js";

expectNothingUnhandled();

class NotFound extends Error {
  override name = "NotFound";
  readonly code = "E_NO_ROW";
  readonly secret = "a connection string";
}

/** A class whose loads fail while the source is down. */
function failing(meta: NodeMeta = {}) {
  const source = { isDown: true };
  const node = countingNode<string>({ caches: twoTiers, errorTtl: "5s", ...meta }, (id, load) => {
    if (source.isDown) throw new NotFound(`no row ${id} (load ${load})`);
    return `load ${load}`;
  });
  return { ...node, source };
}

const thrownBy = async (read: Promise<unknown>): Promise<unknown> => {
  try {
    await read;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
};

describe("errorTtl", () => {
  it("answers every reader with one form of the error, in every process, until the ttl has passed", async () => {
    const { clock, one, other } = await twoProcesses();
    const [here, there] = [failing(), failing()];
    const errors: unknown[] = await Promise.all([
      thrownBy(one.cacheme.get(new here.Counting(1))),
      thrownBy(one.cacheme.get(new here.Counting(1))),
    ]);
    errors.push(await thrownBy(one.cacheme.get(new here.Counting(1))));
    errors.push(await thrownBy(other.cacheme.get(new there.Counting(1))));
    errors.push(await thrownBy(other.cacheme.get(new there.Counting(1))));
    errors.push(await thrownBy(other.cacheme.getAll([new there.Counting(1)])));
    await other.cacheme.clear();
    errors.push(await thrownBy(other.cacheme.getAll([new there.Counting(1), new there.Counting(1)])));
    const failedAt = clock.now();
    for (const error of errors) {
      expect(error).toBeInstanceOf(CachedError);
      expect(error).toMatchObject({
        name: "NotFound",
        message: "no row 1 (load 1)",
        code: "E_NO_ROW",
        failedAt,
      });
      expect(error).not.toHaveProperty("secret");
    }
    expect((errors[0] as Error).cause).toBeInstanceOf(NotFound);
    expect((errors[3] as Error).cause).toBeUndefined();
    expect([here.loads, there.loads]).toEqual([[1], []]);
    clock.advance(4_999);
    await thrownBy(other.cacheme.get(new there.Counting(1)));
    clock.advance(1);
    there.source.isDown = false;
    expect(await other.cacheme.get(new there.Counting(1))).toBe("load 1");
    expect(await one.cacheme.get(new here.Counting(1))).toBe("load 1");
    expect(here.loads).toEqual([1]);
  });

  it("is shared with a process that waits for the load", async () => {
    const { clock, one, other } = await twoProcesses();
    const gate = deferred<string>();
    const here = countingNode({ caches: twoTiers, errorTtl: "5s" }, () => gate.promise);
    const there = countingNode({ caches: twoTiers, errorTtl: "5s" }, () => "loaded");
    const first = thrownBy(one.cacheme.get(new here.Counting(1)));
    await settled();
    const second = thrownBy(other.cacheme.get(new there.Counting(1)));
    await settled();
    gate.reject(new NotFound("gone"));
    await first;
    for (let step = 0; step < 10; step++) {
      clock.advance(100);
      await settled();
    }
    expect(await second).toMatchObject({ name: "NotFound", message: "gone" });
    expect(there.loads).toEqual([]);
  });

  it.each(tierSetups)("keeps the error in %s, and a value takes its place", async (_, caches) => {
    const { one, clock } = await twoProcesses();
    const { cacheme } = one;
    const { Counting, loads } = failing({ caches });
    const node = new Counting(1);
    await thrownBy(cacheme.get(node));
    await thrownBy(cacheme.get(node));
    expect(loads).toEqual([1]);
    await cacheme.set(node, "given");
    expect(await cacheme.get(node)).toBe("given");
    clock.advance(1);
    expect(await cacheme.get(node)).toBe("given");
  });

  it.each([
    ["invalidate", (cacheme: Cacheme, node: Node) => cacheme.invalidate(node)],
    ["invalidateMatching", (cacheme: Cacheme) => cacheme.invalidateMatching("counting:*")],
    ["clear", (cacheme: Cacheme) => cacheme.clear({ remote: true })],
    ["refresh", (cacheme: Cacheme, node: Node) => cacheme.refresh(node)],
    ["fresh", (cacheme: Cacheme, node: Node) => cacheme.get(node, { fresh: true })],
    ["maxAge", (cacheme: Cacheme, node: Node) => cacheme.get(node, { maxAge: 1 })],
  ])("is dropped by %s", async (_, drop) => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    await cacheme.registerStorage("local", memory());
    const { Counting, loads, source } = failing({ caches: localOnly });
    await thrownBy(cacheme.get(new Counting(1)));
    source.isDown = false;
    clock.advance(2);
    await drop(cacheme, new Counting(1));
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
    expect(loads).toEqual([1, 1]);
  });

  it("is dropped by an invalidation of its tag, and by one in another process", async () => {
    const { cacheme, process } = await taggedSpace();
    const other = await process();
    class Tagged extends Node<string> {
      static override meta: NodeMeta = { name: "tagged", caches: twoTiers, errorTtl: "1h" };
      static loads = 0;
      key() {
        return "k";
      }
      override tags() {
        return ["team:7"];
      }
      override load(): string {
        Tagged.loads += 1;
        throw new NotFound(`load ${Tagged.loads}`);
      }
    }
    for (const invalidate of [
      () => cacheme.invalidateTags("team:7"),
      () => cacheme.invalidate(new Tagged()),
    ]) {
      await thrownBy(cacheme.get(new Tagged()));
      const before = Tagged.loads;
      await thrownBy(cacheme.get(new Tagged()));
      await thrownBy(other.get(new Tagged()));
      expect(Tagged.loads).toBe(before);
      await invalidate();
      await thrownBy(cacheme.get(new Tagged()));
      expect(Tagged.loads).toBe(before + 1);
    }
  });

  it("is no value: no peek returns it", async () => {
    const { one } = await twoProcesses();
    const { Counting } = failing();
    const node = new Counting(1);
    await thrownBy(one.cacheme.get(node));
    expect(one.cacheme.peekLocal(node)).toBeUndefined();
    expect(await one.cacheme.peek(node)).toBeUndefined();
    expect(await one.cacheme.peekAll([node])).toEqual([undefined]);
  });

  it("is counted, reported and explained", async () => {
    const { one } = await twoProcesses();
    const { cacheme } = one;
    const hits: CachemeEvents["errorHit"][] = [];
    cacheme.on("errorHit", (event) => hits.push(event));
    const { Counting } = failing();
    const node = new Counting(1);
    await thrownBy(cacheme.get(node));
    await thrownBy(cacheme.get(node));
    await cacheme.clear();
    await Promise.all([thrownBy(cacheme.get(node)), thrownBy(cacheme.get(node))]);
    expect(cacheme.stats()).toMatchObject({
      requestCount: 4,
      missCount: 1,
      hitCount: 3,
      errorHitCount: 3,
      hits: { local: 1, remote: 2 },
      loadFailureCount: 1,
    });
    expect(hits).toMatchObject([
      { node: "counting", key: "1", storage: "local", readers: 1, error: { code: "E_NO_ROW" } },
      { node: "counting", key: "1", storage: "remote", readers: 2, error: { code: "E_NO_ROW" } },
    ]);
    const { origin, tiers } = await cacheme.explain(node);
    expect(origin).toBe("local");
    expect(tiers).toMatchObject([
      { storage: "local", verdict: "error", ttl: 5_000, error: { name: "NotFound" } },
      { storage: "remote", verdict: "error", ttl: 5_000, error: { name: "NotFound" } },
    ]);
  });

  it("is decided for each error by a function", async () => {
    const { cacheme } = await space();
    const failures: unknown[] = [];
    cacheme.on("notStored", ({ error }) => failures.push(error));
    const errorTtl = (error: unknown) => {
      if (!(error instanceof NotFound)) throw new Error("what is this");
      return error.message.startsWith("no row 1 ") ? ("2s" as const) : false;
    };
    const { Counting, loads } = failing({ caches: localOnly, errorTtl });
    for (const id of [1, 1, 2, 2]) {
      const error = await thrownBy(cacheme.get(new Counting(id)));
      expect(error).toBeInstanceOf(id === 1 ? CachedError : NotFound);
    }
    expect(loads).toEqual([1, 2, 2]);
    const other = countingNode({ name: "other", caches: localOnly, errorTtl }, () => {
      throw new RangeError("own");
    });
    expect(await thrownBy(cacheme.get(new other.Counting(1)))).toBeInstanceOf(RangeError);
    expect(failures).toMatchObject([{ code: "CACHEME_POLICY_FAILED" }]);
  });

  it("does not keep Cacheme's own errors, but for the load timeout", async () => {
    const { cacheme, clock } = await space();
    const own = countingNode({ caches: localOnly, errorTtl: "1h" }, () => {
      throw new LoadError("CACHEME_NO_LOAD", "own");
    });
    for (const _ of [1, 2])
      expect(await thrownBy(cacheme.get(new own.Counting(1)))).toBeInstanceOf(LoadError);
    expect(own.loads).toHaveLength(2);
    const slow = countingNode(
      { name: "slow", caches: localOnly, errorTtl: "1h", loadTimeout: "1s" },
      () => new Promise<string>(() => {}),
    );
    const late = thrownBy(cacheme.get(new slow.Counting(1)));
    await settled();
    clock.advance(1_000);
    expect(await late).toMatchObject({ code: "CACHEME_LOAD_TIMEOUT", name: "LoadError" });
    expect(await thrownBy(cacheme.get(new slow.Counting(1)))).toMatchObject({ code: "CACHEME_LOAD_TIMEOUT" });
    expect(slow.loads).toHaveLength(1);
  });

  it("applies to getSync, and to each error of a loadAll", async () => {
    const { cacheme } = await space();
    let loads = 0;
    const sync = defineNode({
      name: "sync",
      caches: localOnly,
      errorTtl: "5s",
      key: () => "k",
      load: (): string => {
        loads += 1;
        throw new NotFound("gone");
      },
    });
    for (const _ of [1, 2]) expect(() => cacheme.getSync(sync())).toThrow(CachedError);
    await expect(cacheme.get(sync())).rejects.toMatchObject({ code: "E_NO_ROW" });
    expect(loads).toBe(1);
    const asked: number[][] = [];
    const bulk = defineNode({
      name: "bulk",
      caches: localOnly,
      errorTtl: "5s",
      key: (id: number) => `${id}`,
      loadAll: (ids) => {
        asked.push([...ids]);
        return ids.map((id) => (id === 1 ? id : new NotFound(`no ${id}`)));
      },
    });
    for (const _ of [1, 2]) {
      const outcomes = await cacheme.getAllSettled([bulk(1), bulk(2)]);
      expect(outcomes).toMatchObject([{ value: 1 }, { reason: { message: "no 2" } }]);
    }
    expect(asked).toEqual([[1, 2]]);
  });

  it("never takes the place of a value", async () => {
    const { one } = await twoProcesses();
    const { cacheme } = one;
    const { Counting, source } = failing();
    const node = new Counting(1);
    await cacheme.set(node, "old");
    expect(await thrownBy(cacheme.refresh(node))).toBeInstanceOf(CachedError);
    expect(await thrownBy(cacheme.get(node, { fresh: true }))).toBeInstanceOf(CachedError);
    expect(await cacheme.get(node)).toBe("old");
    await cacheme.clear();
    expect(await cacheme.get(node)).toBe("old");
    source.isDown = false;
  });

  it("is not stored if the key was written or invalidated while it was loaded", async () => {
    const { one, other } = await twoProcesses();
    for (const meddle of [
      (node: Node<string>) => one.cacheme.set(node, "set"),
      (node: Node<string>) => one.cacheme.invalidate(node),
      (node: Node<string>) => other.cacheme.set(node, "set"),
      (node: Node<string>) => other.cacheme.invalidate(node),
    ]) {
      const gate = deferred<string>();
      const { Counting, loads } = countingNode<string>({ caches: twoTiers, errorTtl: "1h" }, (_, load) =>
        load === 1 ? gate.promise : "again",
      );
      const read = thrownBy(one.cacheme.get(new Counting(1)));
      await settled();
      await meddle(new Counting(1));
      gate.reject(new NotFound("gone"));
      await read;
      expect(["again", "set"]).toContain(await one.cacheme.get(new Counting(1)));
      expect(loads.length).toBeLessThanOrEqual(2);
      await one.cacheme.invalidate(new Counting(1));
    }
  });

  it("yields to a stale value, if the class returns stale values instead of errors", async () => {
    const { one, clock } = await twoProcesses();
    const { Counting, source, loads } = failing({ staleIfError: "1h" });
    source.isDown = false;
    await one.cacheme.get(new Counting(1));
    source.isDown = true;
    clock.advance(11 * 60_000);
    expect(await one.cacheme.get(new Counting(1))).toBe("load 1");
    clock.advance(2 * 3_600_000);
    await thrownBy(one.cacheme.get(new Counting(1)));
    const before = loads.length;
    await one.cacheme.clear();
    await thrownBy(one.cacheme.get(new Counting(1)));
    expect(loads).toHaveLength(before);
  });

  it("stays local if the class uses no leases", async () => {
    const { one, other } = await twoProcesses();
    const { Counting, loads } = failing({ lease: false });
    await thrownBy(one.cacheme.get(new Counting(1)));
    await thrownBy(one.cacheme.get(new Counting(1)));
    expect(loads).toEqual([1]);
    await thrownBy(other.cacheme.get(new Counting(1)));
    expect(loads).toEqual([1, 1]);
  });

  const key = Buffer.alloc(32, 7);
  it.each<[string, Serializer]>([
    ["json", json()],
    ["msgpack, compressed", compressed(msgpack())],
    ["v8", v8()],
    ["encrypted", encrypted(json(), { keys: [{ id: "1", key }] })],
  ])("passes through the serializer: %s", async (name, serializer) => {
    const { one, other, server } = await twoProcesses();
    const { Counting, loads } = failing({ serializer });
    await thrownBy(one.cacheme.get(new Counting(1)));
    expect(await thrownBy(other.cacheme.get(new Counting(1)))).toMatchObject({
      name: "NotFound",
      message: "no row 1 (load 1)",
      code: "E_NO_ROW",
    });
    expect(loads).toEqual([1]);
    const [bytes] = await server.readMany(["cacheme:counting:1:1"]);
    expect(Buffer.from(bytes ?? []).includes("no row")).toBe(name !== "encrypted");
  });

  it("is local, and reported, if the serializer carries no strings", async () => {
    const { one, other } = await twoProcesses();
    const errors: unknown[] = [];
    one.cacheme.on("notStored", ({ error }) => errors.push(error));
    const serializer: Serializer = { codec: 99, encode: () => Buffer.of(1), decode: () => 1 };
    const { Counting, loads } = failing({ serializer });
    await thrownBy(one.cacheme.get(new Counting(1)));
    await thrownBy(one.cacheme.get(new Counting(1)));
    expect(loads).toEqual([1]);
    expect(errors).toMatchObject([{ code: "CACHEME_NOT_SERIALIZABLE" }]);
    await thrownBy(other.cacheme.get(new Counting(1)));
    expect(loads).toEqual([1, 1]);
  });

  it("is a miss for a class that keeps no errors", async () => {
    const { one, other } = await twoProcesses();
    const { Counting } = failing();
    await thrownBy(one.cacheme.get(new Counting(1)));
    const plain = countingNode({ caches: twoTiers }, () => "loaded");
    expect(await other.cacheme.get(new plain.Counting(1))).toBe("loaded");
  });

  it("works with a storage that clones values", async () => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage("local", memory({ values: "cloned" }));
    const { Counting, loads } = failing({ caches: [{ storage: "local" }] });
    for (const _ of [1, 2])
      expect(await thrownBy(cacheme.get(new Counting(1)))).toMatchObject({ code: "E_NO_ROW" });
    expect(loads).toEqual([1]);
  });

  it("bounds the form, and takes it from anything that is thrown", async () => {
    const { cacheme } = await space();
    const odd = Object.defineProperty(new Error("odd"), "code", {
      get() {
        throw new Error("getter");
      },
    });
    const thrown: [unknown, object][] = [
      ["text", { name: "Error", message: "text", code: undefined }],
      [undefined, { name: "Error", code: undefined }],
      [odd, { name: "Error", message: "odd", code: undefined }],
      [Object.assign(new Error("x".repeat(9_999)), { code: 404 }), { message: "x".repeat(2_000), code: 404 }],
      [Object.assign(new Error("object"), { code: { a: 1 } }), { message: "object", code: undefined }],
    ];
    const { Counting } = countingNode({ caches: localOnly, errorTtl: "1h" }, (id) =>
      Promise.reject(thrown[id]?.[0]),
    );
    for (const [id, [, form]] of thrown.entries()) {
      await thrownBy(cacheme.get(new Counting(id)));
      expect(await thrownBy(cacheme.get(new Counting(id)))).toMatchObject(form);
    }
  });

  it("refuses what is no duration", async () => {
    const { cacheme } = await space();
    const { Counting } = failing({ errorTtl: 0 });
    await expect(cacheme.get(new Counting(1))).rejects.toThrow('errorTtl of node "counting" is 0');
  });
});
