import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import {
  Cacheme,
  type CachemeEvents,
  defineNode,
  json,
  memory,
  memoryBus,
  msgpack,
  type NodeMeta,
  type StandardSchema,
} from "../src/index.js";
import { LeasedRemote } from "./support/leased-remote.js";
import { reason } from "./support/reason.js";
import { countingNode, remoteOnly, space, twoTiers } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

interface User {
  readonly name: string;
  readonly tags: readonly string[];
}

const loaded: User = { name: "loaded", tags: ["new"] };

/** One schema in three libraries. Each fills in the tags of a value without them. */
const schemas: readonly (readonly [string, StandardSchema])[] = [
  ["Zod", z.object({ name: z.string(), tags: z.array(z.string()).default([]) })],
  ["Valibot", v.object({ name: v.string(), tags: v.optional(v.array(v.string()), () => []) })],
  ["ArkType", type({ name: "string", tags: type("string[]").default(() => []) })],
];

/** Stores a value as a program without a schema did, and reads it with the given meta. */
async function readsStored(stored: unknown, meta: NodeMeta) {
  const { cacheme, remote, clock } = await space();
  const older = new Cacheme({ clock });
  await older.registerStorage("remote", remote);
  const plain = countingNode<unknown>({ name: "user", caches: remoteOnly }, () => stored);
  await older.get(new plain.Counting(1));
  const events: CachemeEvents["unreadable"][] = [];
  cacheme.on("unreadable", (event) => events.push(event));
  const { Counting, loads } = countingNode<unknown>(
    { name: "user", caches: remoteOnly, ...meta },
    () => loaded,
  );
  return { value: await cacheme.get(new Counting(1)), loads, events, cacheme, Counting, remote };
}

it("a schema that throws is reported as the fault", async () => {
  const validate = (value: unknown) => {
    if (value !== undefined) throw new Error("no such field");
    return { issues: [{ message: "missing" }] };
  };
  const schema: StandardSchema = { "~standard": { version: 1, vendor: "test", validate } };
  const { value, events } = await readsStored({ name: "Ada" }, { schema });
  expect(value).toEqual(loaded);
  expect(events).toMatchObject([{ node: "user", fault: "schema" }]);
  expect(events[0]?.error?.message).toContain("The schema has thrown: no such field");
});

describe.each(schemas)("a schema of %s", (_, schema) => {
  it("lets a value pass that fits, and fills in its defaults", async () => {
    const { value, loads, events } = await readsStored({ name: "Ada" }, { schema });
    expect(value).toEqual({ name: "Ada", tags: [] });
    expect(loads).toEqual([]);
    expect(events).toEqual([]);
  });

  it("makes a value that does not fit a miss, and reports the place", async () => {
    const { value, loads, events } = await readsStored({ name: "Ada", tags: ["a", 2] }, { schema });
    expect(value).toEqual(loaded);
    expect(loads).toEqual([1]);
    expect(events).toMatchObject([{ node: "user", fault: "schema", error: { path: "$.tags[1]" } }]);
  });

  it("checks no value of a load or of a set", async () => {
    const { cacheme } = await space();
    const user = defineNode({
      name: "user",
      caches: twoTiers,
      schema,
      key: (id: number) => `${id}`,
      load: () => 5,
    });
    expect(await cacheme.get(user(1))).toBe(5);
    await cacheme.set(user(2), 6);
    expect(await cacheme.get(user(2))).toBe(6);
  });

  it("hands a value that does not fit to migrate, and checks its result", async () => {
    const migrate = vi.fn((old: unknown) => ({ name: String(old) }));
    const { value, loads } = await readsStored("Ada", { schema, migrate });
    expect(value).toEqual({ name: "Ada", tags: [] });
    expect(migrate).toHaveBeenCalledExactlyOnceWith("Ada", 1);
    expect(loads).toEqual([]);
    const unfit = await readsStored("Ada", { schema, migrate: () => 7 });
    expect(unfit.value).toEqual(loaded);
    expect(unfit.events[0]?.error?.message).toMatch(
      /^The result of migrate\(old, 1\) does not fit the schema at \$:/,
    );
  });
});

describe("a schema", () => {
  const [[, schema]] = schemas as readonly [(typeof schemas)[0]];

  it("freezes what it returns as other values are", async () => {
    const { value } = await readsStored({ name: "Ada" }, { schema, caches: remoteOnly });
    expect(Object.isFrozen(value)).toBe(true);
    expect(Object.isFrozen((value as User).tags)).toBe(true);
  });

  it("applies to peek and explain too", async () => {
    const { cacheme, Counting, remote } = await readsStored({ name: "Ada" }, { schema });
    expect((await cacheme.peek(new Counting(1)))?.value).toEqual({ name: "Ada", tags: [] });
    const older = countingNode<unknown>({ name: "user", caches: remoteOnly }, () => 1);
    const other = new Cacheme();
    await other.registerStorage("remote", remote);
    await other.set(new older.Counting(1), { name: 5 });
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
    expect((await cacheme.explain(new Counting(1))).tiers[0]?.verdict).toBe("unreadable");
  });

  it("that validates asynchronously is refused at the first use", async () => {
    const { cacheme } = await space();
    const asynchronous = v.pipeAsync(
      v.string(),
      v.checkAsync(async () => true),
    );
    const { Counting } = countingNode({ schema: asynchronous }, () => 1);
    expect(await reason(cacheme.get(new Counting(1)))).toMatchObject({
      code: "CACHEME_INVALID_META",
      message: expect.stringContaining("validates asynchronously"),
    });
  });

  it("that only answers some values with a promise makes those misses", async () => {
    const schema = z.string().refine(async () => true);
    const { value, events } = await readsStored("Ada", { schema });
    expect(value).toEqual(loaded);
    expect(events).toMatchObject([{ fault: "schema" }]);
    expect(events[0]?.error?.message).toContain("synchronously");
  });

  it.each<[NodeMeta, string]>([
    [{ schema: {} as StandardSchema }, "expected a Standard Schema"],
    [{ schema: "string" as unknown as StandardSchema }, "expected a Standard Schema"],
    [{ migrate: 5 as unknown as () => unknown, schema }, "expected a function"],
    [{ migrate: () => 1 }, "never called"],
    [{ migratesFrom: [1], version: 2 }, "no `migrate`"],
    [{ migratesFrom: [], version: 2, migrate: () => 1 }, "a list of older versions"],
    [{ migratesFrom: [1, 2], version: 2, migrate: () => 1 }, '"2" in `migratesFrom` twice'],
    [{ migratesFrom: [Number.NaN], version: 2, migrate: () => 1 }, "NaN in `migratesFrom`"],
    [{ version: Number.NaN }, "the version NaN"],
    [{ migratesFrom: ["a:b"], version: 2, migrate: () => 1 }, 'the version "a:b"'],
    [{ migratesFrom: [{} as string], version: 2, migrate: () => 1 }, "an object in `migratesFrom`"],
  ])("refuses %o", async (meta, message) => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ ...meta }, () => 1);
    const error = await reason(cacheme.get(new Counting(1)));
    expect(error).toMatchObject({ code: "CACHEME_INVALID_META", node: "counting" });
    expect((error as Error).message).toContain(message);
  });
});

/** Two programs of different versions, on one server and one bus. */
async function twoVersions(later: NodeMeta = {}) {
  const clock = new VirtualClock();
  const remote = new LeasedRemote(clock);
  const bus = memoryBus();
  const program = async () => {
    const cacheme = new Cacheme({ clock });
    await cacheme.registerStorage("local", memory());
    await cacheme.registerStorage("remote", new LeasedRemote(clock, remote));
    await cacheme.registerBus(bus);
    return cacheme;
  };
  const [first, second] = [await program(), await program()];
  const source = { name: "Ada" };
  const one = countingNode<unknown>({ name: "user", version: 1, caches: twoTiers }, () => source.name);
  const two = countingNode<unknown>(
    {
      name: "user",
      version: 2,
      caches: twoTiers,
      migratesFrom: [1],
      migrate: (old) => ({ name: old, from: 1 }),
      ...later,
    },
    () => ({ name: source.name }),
  );
  return {
    first: { cacheme: first, node: new one.Counting(1), loads: one.loads },
    second: { cacheme: second, node: new two.Counting(1), loads: two.loads },
    source,
    remote,
    clock,
  };
}

describe("two versions of a program that run together", () => {
  it("let the later one read what the older one has stored, without a load or a further round trip", async () => {
    const { first, second, remote } = await twoVersions();
    await first.cacheme.get(first.node);
    remote.calls.length = 0;
    expect(await second.cacheme.get(second.node)).toEqual({ name: "Ada", from: 1 });
    expect(second.loads).toEqual([]);
    expect([...remote.records.keys()]).toEqual(["cacheme:user:1:1"]);
  });

  it("leave the entry to the older one, which goes on reading it", async () => {
    const { first, second } = await twoVersions();
    await first.cacheme.get(first.node);
    await second.cacheme.get(second.node);
    await first.cacheme.clear();
    expect(await first.cacheme.get(first.node)).toBe("Ada");
    expect(first.loads).toEqual([1]);
  });

  it("let the older one load past an entry of the later one, which then reads the older one's", async () => {
    const { first, second } = await twoVersions();
    await second.cacheme.get(second.node);
    expect(await first.cacheme.get(first.node)).toBe("Ada");
    expect(first.loads).toEqual([1]);
    await second.cacheme.clear();
    expect(await second.cacheme.get(second.node)).toEqual({ name: "Ada", from: 1 });
    expect(second.loads).toEqual([1]);
  });

  it.each(["older", "later"] as const)("lose no invalidation by the %s one", async (by) => {
    for (const storedBy of ["first", "second"] as const) {
      const programs = await twoVersions();
      const { first, second, source, remote } = programs;
      await programs[storedBy].cacheme.get(programs[storedBy].node);
      await first.cacheme.get(first.node);
      await second.cacheme.get(second.node);
      source.name = "Grace";
      const { cacheme, node } = by === "older" ? first : second;
      await cacheme.invalidate(node);
      expect(remote.records.size).toBe(0);
      // The bus has dropped the local entries of the other one, too.
      expect(first.cacheme.peekLocal(first.node)).toBeUndefined();
      expect(second.cacheme.peekLocal(second.node)).toBeUndefined();
      expect(await second.cacheme.get(second.node)).toMatchObject({ name: "Grace" });
      expect(await first.cacheme.get(first.node)).toBe("Grace");
    }
  });

  it("let an invalidation by the older one refuse a fill of the later one", async () => {
    const { first, second, source, remote } = await twoVersions();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const answer = second.cacheme.get(second.node, {
      load: async () => {
        const { name } = source;
        await held;
        return { name };
      },
    });
    await vi.waitUntil(() => remote.held.size > 0);
    source.name = "Grace";
    await first.cacheme.invalidate(first.node);
    release();
    expect(await answer).toEqual({ name: "Ada" });
    expect(remote.records.size).toBe(0);
    expect(await second.cacheme.get(second.node)).toEqual({ name: "Grace" });
  });

  it("take an older entry for a miss if migrate throws or returns a promise, or it had another serializer", async () => {
    for (const [later, fault] of [
      [{ migrate: () => Promise.reject(new Error("late")) }, "schema"],
      [
        {
          migrate: () => {
            throw new Error("no way");
          },
        },
        "schema",
      ],
      [{ serializer: json() }, "serializer"],
    ] as const) {
      const { first, second } = await twoVersions(later);
      const faults: string[] = [];
      second.cacheme.on("unreadable", (event) => faults.push(event.fault));
      await first.cacheme.get(first.node);
      expect(await second.cacheme.get(second.node)).toEqual({ name: "Ada" });
      expect(faults).toEqual([fault]);
    }
  });

  it("pass the version as the class writes it, and read those named only", async () => {
    const versions: unknown[] = [];
    const later = {
      version: "c",
      migratesFrom: ["a", 7],
      migrate: (old: unknown, version: unknown) => {
        versions.push(version);
        return old;
      },
    };
    const { second, remote, clock } = await twoVersions(later);
    const older = async (version: string | number) => {
      const cacheme = new Cacheme({ clock });
      await cacheme.registerStorage("remote", new LeasedRemote(clock, remote));
      const meta = version === "a" ? {} : { migratesFrom: ["a"], migrate: (old: unknown) => old };
      const node = countingNode(
        { name: "user", caches: remoteOnly, version, ...meta },
        () => `by ${version}`,
      );
      await cacheme.set(new node.Counting(1), `by ${version}`);
    };
    for (const version of ["a", 7, 8]) {
      await older(version);
      await second.cacheme.clear();
      await second.cacheme.get(second.node);
    }
    expect(versions).toEqual(["a", 7]);
    expect(second.loads).toEqual([1]);
  });

  it("keep msgpack's and the schema's entries apart by nothing but the version", async () => {
    const { first, second } = await twoVersions({
      serializer: msgpack(),
      schema: z.object({ name: z.string() }),
    });
    await first.cacheme.get(first.node);
    expect(await second.cacheme.get(second.node)).toEqual({ name: "Ada" });
    expect(second.loads).toEqual([]);
  });
});
