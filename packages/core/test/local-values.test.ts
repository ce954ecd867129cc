import { afterEach, describe, expect, it, vi } from "vitest";
import { Cacheme, memory } from "../src/index.js";
import { reason, thrownBy } from "./support/reason.js";
import { countingNode, localOnly, space } from "./support/space.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

async function withValues(values?: "frozen" | "shared" | "cloned") {
  const cacheme = new Cacheme();
  await cacheme.registerStorage("local", memory({ values }));
  const { Counting, loads } = countingNode({ caches: localOnly }, (id) => ({
    id,
    tags: ["a"],
    at: new Date(0),
  }));
  return { cacheme, Counting, loads };
}

describe("local values", () => {
  it("are frozen when they are stored, so that a change by a reader throws", async () => {
    const { cacheme, Counting } = await withValues("frozen");
    const value = await cacheme.get(new Counting(1));
    expect(() => value.tags.push("b")).toThrow(TypeError);
    expect(() => {
      value.id = 2;
    }).toThrow(TypeError);
    expect(await cacheme.get(new Counting(1))).toBe(value);
  });

  it("are frozen by default, unless NODE_ENV is production when the storage is made", async () => {
    vi.stubEnv("NODE_ENV", "development");
    const { cacheme, Counting } = await withValues();
    expect(Object.isFrozen(await cacheme.get(new Counting(1)))).toBe(true);
    vi.stubEnv("NODE_ENV", "production");
    const production = await withValues();
    const value = await production.cacheme.get(new production.Counting(1));
    expect(Object.isFrozen(value)).toBe(false);
    expect(await production.cacheme.get(new production.Counting(1))).toBe(value);
    vi.stubEnv("NODE_ENV", "production");
    const asked = await withValues("frozen");
    expect(Object.isFrozen(await asked.cacheme.get(new asked.Counting(1)))).toBe(true);
  });

  it("are frozen when they are set, too", async () => {
    const { cacheme, Counting } = await withValues("frozen");
    const value = { id: 1, tags: ["a"], at: new Date(0) };
    await cacheme.set(new Counting(1), value);
    expect(Object.isFrozen(value.tags)).toBe(true);
  });

  it("are one object for all readers if they are shared, and may be changed", async () => {
    const { cacheme, Counting } = await withValues("shared");
    const value = await cacheme.get(new Counting(1));
    value.tags.push("b");
    expect((await cacheme.get(new Counting(1))).tags).toEqual(["a", "b"]);
    expect(await cacheme.get(new Counting(1))).toBe(value);
  });

  it("are an object of each reader's own if they are cloned, and nobody changes another's", async () => {
    const { cacheme, Counting, loads } = await withValues("cloned");
    const first = await cacheme.get(new Counting(1));
    first.tags.push("changed by the first reader");
    const second = await cacheme.get(new Counting(1));
    expect(second).toEqual({ id: 1, tags: ["a"], at: new Date(0) });
    second.tags.push("changed by the second reader");
    const [third] = await cacheme.getAll([new Counting(1)]);
    expect(third.tags).toEqual(["a"]);
    third.tags.push("changed by the third reader");
    expect(cacheme.peekLocal(new Counting(1))?.value.tags).toEqual(["a"]);
    expect(loads).toEqual([1]);
  });

  it("count their hits if they are cloned", async () => {
    const { cacheme, Counting } = await withValues("cloned");
    for (let read = 0; read < 3; read++) await cacheme.get(new Counting(1));
    expect(cacheme.peekLocal(new Counting(1))?.hits).toBe(2);
  });

  it("are returned even if they cannot be cloned, and reported as not stored", async () => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage("local", memory({ values: "cloned" }));
    const notStored: unknown[] = [];
    cacheme.on("notStored", (event) => notStored.push(event));
    const { Counting } = countingNode({ caches: localOnly }, () => ({ handler: (): number => 7 }));
    expect((await cacheme.get(new Counting(1))).handler()).toBe(7);
    expect(notStored).toMatchObject([
      { node: "counting", key: "1", error: { code: "CACHEME_NOT_SERIALIZABLE" } },
    ]);
    expect(await reason(cacheme.set(new Counting(2), { handler: () => 8 }))).toMatchObject({
      code: "CACHEME_NOT_SERIALIZABLE",
      node: "counting",
      key: "2",
    });
  });

  it.each(["set", "setAll"] as const)(
    "are stored in no tier if one of them cannot clone them: %s",
    async (call) => {
      const { cacheme } = await space();
      await cacheme.registerStorage("clones", memory({ values: "cloned" }));
      const { Counting } = countingNode<unknown>(
        { caches: [{ storage: "local" }, { storage: "clones" }] },
        () => "unused",
      );
      await cacheme.set(new Counting(1), "before");
      const refused = () => 7;
      const setting =
        call === "set"
          ? cacheme.set(new Counting(1), refused)
          : cacheme.setAll([
              [new Counting(1), refused],
              [new Counting(2), "stored"],
            ]);
      expect(await reason(setting)).toMatchObject({ code: "CACHEME_NOT_SERIALIZABLE", key: "1" });
      expect(await cacheme.get(new Counting(1))).toBe("before");
      expect(cacheme.peekLocal(new Counting(2))?.value).toBe(call === "set" ? undefined : "stored");
    },
  );

  it("cannot be anything else", () => {
    expect(thrownBy(() => memory({ values: "copied" as never }))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringMatching(/values to be "frozen", "shared" or "cloned", got "copied"/),
    });
  });
});

describe("memory", () => {
  it.each([{ maxSize: 0 }, { maxSize: -1 }, { maxSize: 1.5 }, { maxSize: Number.NaN }, { policy: "random" }])(
    "refuses %o",
    (options) => {
      expect(thrownBy(() => memory(options as never))).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringMatching(/^memory\(\) got an invalid option: /),
      });
    },
  );

  it("keeps at most maxSize entries of all classes, and evicts those not used for longest", async () => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage("local", memory({ maxSize: 3, policy: "lru" }));
    const users = countingNode({ name: "user", caches: localOnly }, (id) => id).Counting;
    const posts = countingNode({ name: "post", caches: localOnly }, (id) => id).Counting;
    for (const node of [new users(1), new posts(1), new users(2)]) await cacheme.get(node);
    await cacheme.get(new users(1));
    await cacheme.get(new posts(2));
    expect(
      [new users(1), new posts(1), new users(2), new posts(2)].map((node) => cacheme.peekLocal(node)?.value),
    ).toEqual([1, undefined, 2, 2]);
  });
});
