import { describe, expect, it } from "vitest";
import type { NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import type { LeasedRemote } from "../support/leased-remote.js";
import { countingNode, remoteOnly, space, taggedSpace, twoTiers } from "../support/space.js";
import { tierSetups } from "../support/tier-setups.js";
import { twoProcesses } from "../support/two-processes.js";
import { expectNothingUnhandled } from "../support/unhandled.js";

expectNothingUnhandled();

const minute = 60_000;

function numbered(meta: NodeMeta) {
  return countingNode<string>({ staleWhileRevalidate: "1m", ...meta }, (_, load) => `load ${load}`);
}

describe("expire", () => {
  it.each(tierSetups)("makes the value of %s stale, and keeps it", async (_, caches) => {
    const { cacheme } = await space();
    const { Counting } = numbered({ caches });
    await cacheme.get(new Counting(1));
    await cacheme.expire(new Counting(1));
    expect((await cacheme.explain(new Counting(1))).tiers.map(({ verdict }) => verdict)).toEqual(
      caches?.map(() => "stale"),
    );
    expect(await cacheme.get(new Counting(1))).toBe("load 1");
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
  });

  it("begins the window now", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: twoTiers });
    await cacheme.get(new Counting(1));
    await cacheme.expire([new Counting(1)]);
    clock.advance(minute);
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
  });

  it("does not lengthen the life of a stale value", async () => {
    const { cacheme, clock } = await space();
    const { Counting } = numbered({ caches: remoteOnly });
    await cacheme.get(new Counting(1));
    clock.advance(10 * minute + 30_000);
    await cacheme.expire(new Counting(1));
    clock.advance(30_000);
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
  });

  it("serves other processes with leases, and one of them loads", async () => {
    const { one, other } = await twoProcesses();
    const first = numbered({ caches: twoTiers });
    const second = countingNode<string>({ caches: twoTiers, staleWhileRevalidate: "1m" }, () => "theirs");
    await one.cacheme.get(new first.Counting(1));
    await one.cacheme.expire(new first.Counting(1));
    expect(await other.cacheme.get(new second.Counting(1))).toBe("load 1");
    await settled();
    expect(await other.cacheme.get(new second.Counting(1))).toBe("theirs");
  });

  it("keeps a load that began before from being stored", async () => {
    const { one, other } = await twoProcesses();
    const gate = deferred<string>();
    const first = countingNode<string>({ caches: remoteOnly, staleIfError: "1h" }, (_, load) =>
      load === 1 ? "old" : gate.promise,
    );
    const second = countingNode<string>({ caches: remoteOnly, staleIfError: "1h" }, () => "newest");
    await one.cacheme.get(new first.Counting(1));
    await one.cacheme.expire(new first.Counting(1));
    const loading = one.cacheme.get(new first.Counting(1));
    await settled();
    await other.cacheme.expire(new second.Counting(1));
    gate.resolve("too old");
    expect(await loading).toBe("too old");
    expect(await other.cacheme.get(new second.Counting(1))).toBe("newest");
  });

  it("removes the value of a class without stale values", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode<string>({ caches: twoTiers }, (_, load) => `load ${load}`);
    await cacheme.get(new Counting(1));
    await cacheme.expire(new Counting(1));
    expect(remote.records.size).toBe(0);
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
  });

  it("removes a value that is being replaced", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = numbered({ caches: remoteOnly });
    await cacheme.get(new Counting(1));
    const gate = deferred();
    remote.gate = (operation, moment) =>
      operation === "write" && moment === "request" ? gate.promise : undefined;
    const set = cacheme.set(new Counting(1), "set");
    await settled();
    const expired = cacheme.expire(new Counting(1));
    gate.resolve();
    await Promise.all([set, expired]);
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
  });

  it("removes the value of a tier in trouble, and says so", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = numbered({ caches: twoTiers });
    await cacheme.get(new Counting(1));
    remote.gate = () => Promise.reject(new Error("the server is down"));
    const failure = await cacheme.expire(new Counting(1)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CACHEME_INVALIDATION_INCOMPLETE" });
    remote.gate = () => {};
    // Nothing is expired while a removal is repeated: it would come back.
    await cacheme.expire(new Counting(1));
    expect(remote.records.size).toBe(0);
    expect(await cacheme.get(new Counting(1))).toBe("load 2");
  });

  it("keeps the tags of the value", async () => {
    const { cacheme } = await taggedSpace();
    class Tagged extends numbered({}).Counting {
      static override meta: NodeMeta = { name: "tagged", caches: twoTiers, staleWhileRevalidate: "1m" };
      override tags() {
        return ["team:7"];
      }
    }
    await cacheme.get(new Tagged(1));
    await cacheme.expire(new Tagged(1));
    await cacheme.invalidateTags("team:7");
    expect(await cacheme.get(new Tagged(1))).toBe("load 2");
  });

  it("removes bytes that are no entry", async () => {
    const { cacheme, remote, clock } = await space();
    const { Counting } = numbered({ caches: remoteOnly });
    remote.records.set("cacheme:counting:1:1", { bytes: Buffer.from("foreign"), until: clock.now() + 1_000 });
    await cacheme.expire(new Counting(1));
    expect(remote.records.size).toBe(0);
  });

  it("gives the lease back if the tier has nothing", async () => {
    const { one } = await twoProcesses();
    const { Counting } = numbered({ caches: remoteOnly });
    await one.cacheme.expire(new Counting(1));
    await settled();
    expect((one.remote as LeasedRemote).held.size).toBe(0);
  });

  it("emits its event", async () => {
    const { cacheme } = await space();
    const { Counting } = numbered({ caches: twoTiers });
    const events: unknown[] = [];
    cacheme.on("expire", (event) => events.push(event));
    cacheme.on("invalidate", (event) => events.push({ invalidated: event }));
    await cacheme.expire(new Counting(1), new Counting(2));
    expect(events).toEqual([
      { node: "counting", key: "1" },
      { node: "counting", key: "2" },
    ]);
  });
});
