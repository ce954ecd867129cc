import { describe, expect, it } from "vitest";
import { Cacheme, defineNode, KeyPattern, memory, memoryBus, Node, type NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { hold } from "../support/hold.js";
import { readAround } from "../support/read-around.js";
import { reason, thrownBy } from "../support/reason.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode, localOnly, remoteOnly, taggedSpace, twoTiers } from "../support/space.js";
import { TaggedRemote } from "../support/tagged-remote.js";

const everywhere = Object.entries({ localOnly, remoteOnly, twoTiers });

/** Makes two classes of nodes whose values count the loads. */
function classes(caches: NodeMeta["caches"]) {
  let loads = 0;
  const of = (name: string) =>
    defineNode({ name, key: (id: number | string) => `${id}`, load: () => ++loads, caches });
  return { user: of("user"), post: of("post") };
}

describe.each(everywhere)("invalidateMatching, %s", (name, caches) => {
  it("removes the entries whose name and key match, and counts them", async () => {
    const { cacheme } = await taggedSpace();
    const { user, post } = classes(caches);
    const nodes = [user(1), user(12), user(2), post(1)];
    const before = await cacheme.getAll(nodes);
    expect(await cacheme.invalidateMatching("user:1*")).toBe(name === "twoTiers" ? 4 : 2);
    const after = await cacheme.getAll(nodes);
    expect(after.map((value, place) => value === before[place])).toEqual([false, false, true, true]);
    expect(await cacheme.invalidateMatching("*:1")).toBe(name === "twoTiers" ? 4 : 2);
    expect(await cacheme.invalidateMatching("user:2")).toBe(name === "twoTiers" ? 2 : 1);
    expect(await cacheme.invalidateMatching("nobody:*")).toBe(0);
  });

  it("removes a class by invalidateAll, and everything by clear with remote tiers", async () => {
    const { cacheme } = await taggedSpace();
    const { user, post } = classes(caches);
    const nodes = [user(1), user(2), post(1)];
    const before = await cacheme.getAll(nodes);
    expect(await cacheme.invalidateAll(user)).toBe(name === "twoTiers" ? 4 : 2);
    const after = await cacheme.getAll(nodes);
    expect(after.map((value, place) => value === before[place])).toEqual([false, false, true]);
    expect(await cacheme.clear({ remote: true })).toBe(name === "twoTiers" ? 6 : 3);
    expect((await cacheme.peekAll(nodes)).every((entry) => entry === undefined)).toBe(true);
  });

  it("overtakes a load that is under way, and answers its readers", async () => {
    const { cacheme } = await taggedSpace();
    const loading = deferred();
    const { Counting, loads } = countingNode({ caches }, async (_, load) => {
      if (load === 1) await loading.promise;
      return load;
    });
    const read = () => cacheme.get(new Counting(1));
    expect(await readAround(read, () => cacheme.invalidateMatching("counting:*"), loading)).toEqual([1, 2]);
    expect(await cacheme.get(new Counting(1))).toBe(2);
    expect(loads).toHaveLength(2);
  });

  it("reaches the values that depend on a matching node", async () => {
    const { cacheme, clock } = await taggedSpace();
    const { user } = classes(caches);
    const page = defineNode({
      name: "page",
      key: (id: number) => `${id}`,
      dependsOn: (id: number) => [user(id)],
      load: async (id, { get }) => `page of ${await get(user(id))}`,
      caches,
    });
    await cacheme.get(page(1));
    clock.advance(1);
    await cacheme.invalidateMatching("user:*");
    expect(await cacheme.peek(page(1))).toBeUndefined();
    expect(await cacheme.get(page(1))).toBe("page of 2");
  });
});

describe("a removal by pattern", () => {
  it("reaches entries of classes that this process has not used", async () => {
    const { cacheme, process } = await taggedSpace();
    const { user } = classes(remoteOnly);
    await cacheme.getAll([user(1), user(2)]);
    const other = await process();
    expect(await other.invalidateMatching("user:*")).toBe(2);
    expect(await cacheme.peek(user(1))).toBeUndefined();
    await cacheme.get(user(1));
    expect(await (await process()).invalidateAll(user)).toBe(1);
  });

  it("removes entries whose long keys a hash hides", async () => {
    const { cacheme } = await taggedSpace();
    const { user, post } = classes(remoteOnly);
    const long = "x".repeat(300);
    await cacheme.getAll([user(long), post(long), user("y")]);
    expect(await cacheme.invalidateMatching("user:x*")).toBe(1);
    expect(await cacheme.peek(user(long))).toBeUndefined();
    expect(await cacheme.peek(user("y"))).toBeDefined();
    expect(await cacheme.peek(post(long))).toBeDefined();
    expect(await cacheme.invalidateMatching(`*:${long}`)).toBe(1);
  });

  it("removes neither entries of other prefixes nor generations of tags", async () => {
    const { cacheme, clock, remote } = await taggedSpace();
    const shop = new Cacheme({ clock, prefix: "shop" });
    await shop.registerStorage("remote", remote);
    const { user } = classes(remoteOnly);
    await cacheme.get(user(1));
    await shop.get(user(1));
    await cacheme.invalidateTags("team:7");
    const size = remote.records.size;
    expect(await cacheme.clear({ remote: true })).toBe(1);
    expect(remote.records.size).toBe(size - 1);
    expect(await shop.peek(user(1))).toBeDefined();
  });

  it("works in pages, reports its progress, and ends by a signal", async () => {
    const { cacheme } = await taggedSpace();
    const { user } = classes(remoteOnly);
    const nodes = Array.from({ length: 35 }, (_, id) => user(id));
    await cacheme.getAll(nodes);
    const controller = new AbortController();
    const progress: number[] = [];
    const onProgress = (removed: number) => {
      progress.push(removed);
      if (progress.length === 2) controller.abort(new Error("enough"));
    };
    const error = await reason(
      cacheme.invalidateMatching("user:*", { onProgress, signal: controller.signal }),
    );
    expect(error).toMatchObject({ message: "enough" });
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    const left = (await cacheme.peekAll(nodes)).filter((entry) => entry !== undefined).length;
    expect(left).toBe(35 - (progress.at(-1) ?? 0));
    expect(left).toBeGreaterThan(0);
    expect(await reason(cacheme.invalidateAll(user, { signal: AbortSignal.abort("at once") }))).toBe(
      "at once",
    );
    expect((await cacheme.peekAll(nodes)).filter((entry) => entry !== undefined)).toHaveLength(left);
  });

  it("does not leave an old value in memory that was read before its removal", async () => {
    const { cacheme, remote } = await taggedSpace();
    const { user } = classes(twoTiers);
    await cacheme.get(user(1));
    await cacheme.clear();
    const removing = hold(remote, "remove", "request");
    const removal = cacheme.invalidateMatching("user:*");
    await settled();
    expect(await cacheme.get(user(1))).toBe(1);
    removing.resolve();
    await removal;
    expect(await cacheme.get(user(1))).toBe(2);
  });

  it("removes a value whose write is on its way", async () => {
    const { cacheme, remote } = await taggedSpace();
    const { Counting } = countingNode({ caches: twoTiers, lease: false }, (_, load) => load);
    const writing = hold(remote, "write", "request");
    const read = cacheme.get(new Counting(1));
    await settled();
    const removal = cacheme.invalidateAll(Counting);
    await settled();
    writing.resolve();
    await Promise.all([read, removal]);
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
  });

  it("rejects if a storage cannot be reached, and does the rest", async () => {
    const { cacheme, remote } = await taggedSpace();
    const { user } = classes(twoTiers);
    await cacheme.get(user(1));
    remote.gate = (operation) => {
      if (operation === "scan") throw new Error("The storage is down.");
    };
    const error = await reason(cacheme.invalidateMatching("user:*"));
    expect(error).toMatchObject({ code: "CACHEME_INVALIDATION_INCOMPLETE", storages: ["remote"] });
    expect(cacheme.peekLocal(user(1))).toBeUndefined();
  });

  it("replaces the generation of the class where a storage cannot list its keys", async () => {
    const { clock } = await taggedSpace();
    const unlisted = new TaggedRemote(clock);
    Object.defineProperty(unlisted, "scan", { value: undefined });
    const process = async () => {
      const cacheme = new Cacheme({ clock });
      await cacheme.registerStorage("remote", unlisted);
      return cacheme;
    };
    const [cacheme, other] = [await process(), await process()];
    const { user, post } = classes(remoteOnly);
    const before = await cacheme.getAll([user(1), user(2), post(1)]);
    expect(await cacheme.getAll([user(1), user(2), post(1)])).toEqual(before);
    expect(await other.invalidateMatching("user:1*")).toBe(0);
    const after = await cacheme.getAll([user(1), user(2), post(1)]);
    expect(after.map((value, place) => value === before[place])).toEqual([false, false, true]);
    await cacheme.clear({ remote: true });
    expect(await cacheme.peek(post(1))).toBeUndefined();
  });

  it("says so if a storage can neither list its keys nor keep generations", async () => {
    const { cacheme, clock } = await taggedSpace();
    await cacheme.registerStorage("plain", new SimulatedRemote(clock));
    const { user } = classes([{ storage: "plain" }]);
    await cacheme.get(user(1));
    const error = await reason(cacheme.invalidateAll(user));
    expect(error).toMatchObject({ code: "CACHEME_INVALIDATION_INCOMPLETE", storages: ["plain"] });
    expect((error as Error).message).toContain("generations");
  });

  it("refuses what is no pattern, no class and no function", async () => {
    const { cacheme } = await taggedSpace();
    for (const pattern of ["", "user:\\", 7, undefined, "x".repeat(2_001)]) {
      const call = cacheme.invalidateMatching(pattern as string);
      expect(await reason(call)).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
    }
    expect(await reason(cacheme.invalidateAll({} as never))).toMatchObject({ code: "CACHEME_INVALID_NODE" });
    const call = cacheme.invalidateMatching("a", { onProgress: 7 as never });
    expect(await reason(call)).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
  });

  it("removes every entry of a space of a local storage that cannot search its keys", async () => {
    const { cacheme } = await taggedSpace();
    const local = memory();
    Object.defineProperty(local, "removeWhere", { value: undefined });
    await cacheme.registerStorage("simple", local);
    const { user } = classes([{ storage: "simple" }]);
    await cacheme.getAll([user(1), user(2)]);
    await cacheme.invalidateMatching("user:1");
    expect(cacheme.peekLocal(user(1))).toBeUndefined();
  });
});

describe("KeyPattern.parse", () => {
  it("reads stars as any string, and escaped characters as themselves", () => {
    const pattern = KeyPattern.parse("a*:\\*\\\\*z");
    expect(pattern.literals).toEqual(["a", ":*\\", "z"]);
    expect(pattern.matches("ab:*\\yz")).toBe(true);
    expect(pattern.matches("ab:xyz")).toBe(false);
    expect(thrownBy(() => KeyPattern.parse("a\\"))).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
  });
});

describe("the bus", () => {
  async function processes() {
    const { process, clock } = await taggedSpace();
    const bus = memoryBus();
    const both = [await process(), await process()] as const;
    for (const cacheme of both) await cacheme.registerBus(bus);
    clock.advance(60_000);
    await settled();
    return both;
  }

  class TeamNode extends Node<number> {
    static override meta: NodeMeta = { name: "team", caches: twoTiers };
    static loads = 0;
    key() {
      return "1";
    }
    override tags() {
      return ["team:7"];
    }
    override load() {
      return ++TeamNode.loads;
    }
  }

  it.each([
    ["invalidateTags", (cacheme: Cacheme) => cacheme.invalidateTags("team:7")],
    ["invalidateMatching", (cacheme: Cacheme) => cacheme.invalidateMatching("team:*")],
  ])("tells other processes of %s, which drop their local entries", async (_, invalidate) => {
    const [one, other] = await processes();
    const before = await other.get(new TeamNode());
    await one.get(new TeamNode());
    expect(other.peekLocal(new TeamNode())?.value).toBe(before);
    await invalidate(one);
    await settled();
    expect(other.peekLocal(new TeamNode())).toBeUndefined();
    expect(await other.get(new TeamNode())).not.toBe(before);
  });

  it("tells other processes of a tag without a storage", async () => {
    const { clock } = await taggedSpace();
    const bus = memoryBus();
    const make = async () => {
      const cacheme = new Cacheme({ clock });
      await cacheme.registerStorage("local", memory());
      await cacheme.registerBus(bus);
      return cacheme;
    };
    const [one, other] = [await make(), await make()];
    class LocalNode extends TeamNode {
      static override meta: NodeMeta = { name: "local team", caches: localOnly };
    }
    Object.assign(LocalNode.meta, { name: "local-team" });
    await settled();
    const before = await other.get(new LocalNode());
    await one.invalidateTags("team:7");
    await settled();
    expect(await other.get(new LocalNode())).not.toBe(before);
  });
});
