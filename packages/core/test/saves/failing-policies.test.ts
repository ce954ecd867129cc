import { describe, expect, it } from "vitest";
import {
  Cacheme,
  defineNode,
  encrypted,
  type Journal,
  memory,
  memoryJournal,
  msgpack,
  type NodeMeta,
  type RegisterJournalOptions,
} from "../../src/index.js";
import { pass, within } from "../support/advancing.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { reason } from "../support/reason.js";
import { localOnly, twoTiers } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

interface Setting {
  readonly meta?: Omit<NodeMeta, "name">;
  readonly options?: RegisterJournalOptions;
  readonly tags?: () => readonly string[];
  readonly journal?: Journal;
}

/** A space with a class that writes behind, and what its source has got. */
async function behind({ meta, options, tags, journal = memoryJournal() }: Setting = {}) {
  const clock = new VirtualClock();
  const cacheme = new Cacheme({ clock });
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", new LeasedRemote(clock));
  const registered = await cacheme.registerJournal("writes", journal, { delay: "1s", ...options });
  const written: unknown[] = [];
  const dead: string[] = [];
  const notStored: unknown[] = [];
  cacheme.on("deadLetter", ({ error }) => dead.push((error as Error).message));
  cacheme.on("notStored", ({ error }) => notStored.push(Reflect.get(error, "code")));
  const gate: { save?: () => Promise<void> } = {};
  const counter = defineNode({
    name: "counter",
    key: (id: number) => `${id}`,
    load: (): unknown => written.at(-1),
    save: async (_: number, value: unknown) => {
      await gate.save?.();
      written.push(value);
    },
    caches: twoTiers,
    write: "behind",
    journal: "writes",
    ...(tags === undefined ? {} : { tags }),
    ...meta,
  });
  return { cacheme, clock, counter, written, dead, notStored, gate, journal: registered };
}

function boom(): never {
  throw new Error("boom");
}

describe("a failing function of a class that writes behind", () => {
  it.each([
    ["shouldCache throws", { meta: { shouldCache: boom } }, "CACHEME_POLICY_FAILED"],
    ["shouldCache gives no boolean", { meta: { shouldCache: () => 1 as never } }, "CACHEME_POLICY_FAILED"],
    ["ttl throws", { meta: { ttl: boom } }, "CACHEME_POLICY_FAILED"],
    ["ttl gives no duration", { meta: { ttl: () => "soon" as never } }, "CACHEME_INVALID_DURATION"],
  ] as const)("leaves the value to the source, and is reported: %s", async (_, setting, code) => {
    const { cacheme, clock, counter, written, dead, notStored, journal } = await behind(setting);
    await cacheme.save(counter(1), "first");
    await pass(clock, 2_000);
    expect(written).toEqual(["first"]);
    expect(notStored).toEqual([code]);
    expect(await journal.status()).toMatchObject({ unsaved: 0, deadLetters: 0 });
    await cacheme.save(counter(1), "second");
    await pass(clock, 2_000);
    expect(written).toEqual(["first", "second"]);
    expect(dead).toEqual([]);
    expect(await cacheme.peek(counter(1))).toBeUndefined();
  });

  it("leaves the value to the source, and is reported: tags throws", async () => {
    let isBad = true;
    const tags = () => (isBad ? boom() : ["all"]);
    const setting = { tags, meta: { caches: localOnly } };
    const { cacheme, clock, counter, written, dead, notStored } = await behind(setting);
    await cacheme.save(counter(1), "first");
    await pass(clock, 2_000);
    expect(written).toEqual(["first"]);
    expect(notStored).toEqual(["CACHEME_POLICY_FAILED"]);
    expect(dead).toEqual([]);
    isBad = false;
    expect(await cacheme.get(counter(1))).toBe("first");
  });

  it("removes the older value from the tiers", async () => {
    let isBad = false;
    const shouldCache = () => (isBad ? boom() : true);
    const { cacheme, clock, counter } = await behind({ meta: { shouldCache } });
    await cacheme.save(counter(1), "first");
    await pass(clock, 2_000);
    expect((await cacheme.peek(counter(1)))?.value).toBe("first");
    isBad = true;
    await cacheme.save(counter(1), "second");
    await pass(clock, 2_000);
    expect(await cacheme.peek(counter(1))).toBeUndefined();
    expect(await cacheme.get(counter(1))).toBe("second");
  });
});

describe("a schema of a class that writes behind", () => {
  it("changes and loses no value on its way to the source", async () => {
    const schema: NodeMeta["schema"] = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => {
          const id = Reflect.get(value as object, "id");
          return typeof id === "number" ? { value: { id } } : { issues: [{ message: "no id" }] };
        },
      },
    };
    const { cacheme, clock, counter, written, dead } = await behind({ meta: { schema } });
    await cacheme.save(counter(1), { id: 1, extra: "kept" });
    await cacheme.save(counter(2), { name: "does not fit" });
    expect(await cacheme.getAll([counter(1), counter(2)])).toEqual([
      { id: 1, extra: "kept" },
      { name: "does not fit" },
    ]);
    await pass(clock, 2_000);
    expect(written).toEqual([{ id: 1, extra: "kept" }, { name: "does not fit" }]);
    expect(dead).toEqual([]);
  });
});

describe("close with a source that does not answer", () => {
  it("ends with its drainTimeout, and reports what is left", async () => {
    const setting = { meta: { saveTimeout: false }, options: { drainTimeout: "1s" } } as const;
    const { cacheme, clock, counter, gate } = await behind(setting);
    const left: unknown[] = [];
    const troubles: string[] = [];
    cacheme.on("unsavedLeft", (event) => left.push(event));
    cacheme.on("journalError", ({ operation }) => troubles.push(operation));
    let answer: () => void = boom;
    gate.save = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await cacheme.save(counter(1), "left");
    await within(clock, 1_500, cacheme.close());
    expect(left).toEqual([{ journal: "writes", unsaved: 1, isLost: true }]);
    answer();
    await pass(clock, 60_000);
    expect(troubles).toEqual([]);
  });
});

describe("the calls of a registered journal", () => {
  it("take durations, and a default", async () => {
    const { cacheme, clock, counter, journal, written } = await behind();
    await cacheme.save(counter(1), "first");
    expect(await within(clock, 500, journal.flush())).toEqual({ unsaved: 0, deadLetters: 0 });
    await cacheme.save(counter(1), "second");
    expect(await within(clock, 500, journal.flush("5s"))).toEqual({ unsaved: 0, deadLetters: 0 });
    expect(written).toEqual(["first", "second"]);
  });

  it("refuse invalid arguments", async () => {
    const { cacheme, journal } = await behind();
    expect(await reason(cacheme.flush({ timeouts: 1 } as never))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
    for (const timeout of ["soon", Number.NaN, { timeout: "5s" }])
      expect(await reason(journal.flush(timeout as never))).toMatchObject({
        code: "CACHEME_INVALID_DURATION",
      });
    for (const limit of [-1, 0, 1.5, Number.NaN])
      expect(await reason(journal.deadLetters(limit))).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
  });
});

describe("a journaled value under a key that is gone", () => {
  it("becomes a dead letter that says so", async () => {
    const keys = [{ id: "old", key: new Uint8Array(32).fill(1) }];
    const sealed = encrypted(msgpack(), { keys });
    let isGone = false;
    const serializer = {
      ...sealed,
      decode: (bytes: Uint8Array, context: Parameters<typeof sealed.decode>[1]) =>
        (isGone ? encrypted(msgpack(), { keys: [{ id: "new", key: keys[0]!.key }] }) : sealed).decode(
          bytes,
          context,
        ),
    };
    const { cacheme, clock, counter, dead } = await behind({ meta: { serializer } });
    await cacheme.save(counter(1), "value");
    isGone = true;
    await pass(clock, 2_000);
    expect(dead).toEqual([expect.stringContaining("another serializer, another key, or is damaged")]);
  });
});
