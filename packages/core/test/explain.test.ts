import { describe, expect, it } from "vitest";
import { Cacheme, memory } from "../src/index.js";
import { deferred, settled } from "./support/deferred.js";
import { hold } from "./support/hold.js";
import { LeasedRemote } from "./support/leased-remote.js";
import { countingNode, space, taggedSpace, twoTiers } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

const verdicts = async (explained: Promise<{ tiers: readonly { storage: string; verdict: string }[] }>) =>
  Object.fromEntries((await explained).tiers.map(({ storage, verdict }) => [storage, verdict]));

describe("explain", () => {
  it("tells that no tier has the value, and loads nothing", async () => {
    const { cacheme } = await space();
    const { Counting, loads } = countingNode({ caches: twoTiers }, () => "value");
    const explained = await cacheme.explain(new Counting(1));
    expect(explained).toMatchObject({
      node: "counting",
      key: "1",
      storageKey: "cacheme:counting:1:1",
      origin: undefined,
      underway: [],
      isKnownToDoorkeeper: undefined,
    });
    expect(explained.tiers.map(({ verdict }) => verdict)).toEqual(["absent", "absent"]);
    expect(loads).toEqual([]);
    expect(cacheme.stats().requestCount).toBe(0);
  });

  it("tells age, ttl and size of the entries, and the tier that would answer", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "value");
    await cacheme.get(new Counting(1));
    clock.advance(10_000);
    const { origin, tiers } = await cacheme.explain(new Counting(1));
    expect(origin).toBe("local");
    expect(tiers).toMatchObject([
      { storage: "local", kind: "local", verdict: "fresh", age: 10_000, ttl: 50_000, size: undefined },
      { storage: "remote", kind: "remote", verdict: "fresh", age: 10_000, ttl: 590_000 },
    ]);
    expect(tiers[1]?.size).toBeGreaterThan(0);
    clock.advance(50_000);
    const later = await cacheme.explain(new Counting(1));
    expect(later.origin).toBe("remote");
    expect(["expired", "absent"]).toContain(later.tiers[0]?.verdict);
  });

  it("tells which tag was invalidated", async () => {
    const { cacheme } = await taggedSpace();
    const { Counting } = countingNode({ caches: twoTiers }, () => "value");
    class Tagged extends Counting {
      static override meta = { name: "tagged", caches: twoTiers };
      override tags() {
        return ["team:7", "team:8"];
      }
    }
    await cacheme.get(new Tagged(1));
    await cacheme.invalidateTags("team:7");
    const { origin, tiers } = await cacheme.explain(new Tagged(1));
    expect(origin).toBeUndefined();
    expect(tiers[1]).toMatchObject({
      verdict: "tag",
      tags: [
        { tag: "team:7", isCurrent: false },
        { tag: "team:8", isCurrent: true },
      ],
    });
  });

  it("tells of bytes that nobody can read", async () => {
    const { cacheme, remote, clock } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "value");
    remote.records.set("cacheme:counting:1:1", { bytes: Buffer.from("foreign"), until: clock.now() + 1_000 });
    expect(await verdicts(cacheme.explain(new Counting(1)))).toEqual({
      local: "absent",
      remote: "unreadable",
    });
  });

  it("tells the error of a storage that does not answer, and the state of its breaker", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "value");
    remote.gate = () => {
      throw new Error("the server is down");
    };
    const [, first] = (await cacheme.explain(new Counting(1))).tiers;
    expect(first).toMatchObject({ verdict: "unreachable", breaker: "closed" });
    expect(first?.error?.message).toContain("the server is down");
    for (let call = 0; call < 10; call++) await cacheme.explain(new Counting(1));
    const [, last] = (await cacheme.explain(new Counting(1))).tiers;
    expect(last).toMatchObject({ verdict: "breaker-open", breaker: "open" });
  });

  it("tells of an invalidation under way, and of one that has failed", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "value");
    await cacheme.get(new Counting(1));
    const gate = hold(remote, "remove", "request");
    const invalidated = cacheme.invalidate(new Counting(1));
    await settled();
    expect(await verdicts(cacheme.explain(new Counting(1)))).toEqual({ local: "absent", remote: "fenced" });
    gate.reject(new Error("the server is down"));
    await expect(invalidated).rejects.toThrow("could not be reached");
    remote.gate = (operation) => {
      if (operation === "remove") throw new Error("the server is down");
    };
    expect(await verdicts(cacheme.explain(new Counting(1)))).toEqual({
      local: "absent",
      remote: "distrusted",
    });
  });

  it("tells the states of the key's reads, and the lease that this process holds", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    await cacheme.registerStorage("local", memory());
    await cacheme.registerStorage("remote", new LeasedRemote(clock));
    const gate = deferred<string>();
    const { Counting } = countingNode({ caches: twoTiers }, () => gate.promise);
    const loading = cacheme.get(new Counting(1));
    await settled();
    const { underway, tiers } = await cacheme.explain(new Counting(1));
    expect(underway).toEqual(["loading"]);
    expect(tiers[1]?.holdsLease).toBe(true);
    gate.resolve("value");
    await loading;
    expect((await cacheme.explain(new Counting(1))).tiers[1]?.holdsLease).toBe(false);
  });

  it("tells whether the doorkeeper has seen the key", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers, doorkeeper: { size: 100 } }, () => "value");
    expect((await cacheme.explain(new Counting(1))).isKnownToDoorkeeper).toBe(false);
    await cacheme.get(new Counting(1));
    const { isKnownToDoorkeeper, origin } = await cacheme.explain(new Counting(1));
    expect([isKnownToDoorkeeper, origin]).toEqual([true, undefined]);
  });

  it("rejects for an invalid key", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: twoTiers }, () => "value");
    const node = new Counting(1);
    node.key = () => "";
    await expect(cacheme.explain(node)).rejects.toMatchObject({ code: "CACHEME_INVALID_KEY" });
  });
});
