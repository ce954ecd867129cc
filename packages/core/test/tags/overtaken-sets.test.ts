import { describe, expect, it } from "vitest";
import { Cacheme, defineNode, memory, type NodeMeta } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { hold } from "../support/hold.js";
import { ScriptedBus } from "../support/scripted-bus.js";
import { twoTiers } from "../support/space.js";
import { TaggedRemote } from "../support/tagged-remote.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** A process on a bus. Its class has tags, and leases or none. */
async function onBus(lease: NodeMeta["lease"]) {
  const clock = new VirtualClock();
  const cacheme = new Cacheme({ clock });
  const remote = new TaggedRemote(clock);
  const bus = new ScriptedBus();
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote);
  await cacheme.registerBus(bus);
  await settled();
  const source = { value: "old", gate: Promise.resolve(), loads: 0 };
  const user = defineNode({
    name: "user",
    caches: twoTiers,
    lease,
    key: (id: number) => `${id}`,
    tags: () => ["team:7"],
    load: async () => {
      source.loads += 1;
      await source.gate;
      return source.value;
    },
  });
  await cacheme.get(user(1));
  source.value = "new";
  return { cacheme, clock, remote, bus, user, source };
}

describe.each<[string, NodeMeta["lease"]]>([
  ["with leases", "10s"],
  ["without leases", false],
])("a value that replaces, %s", (_, lease) => {
  it.each<[string, (made: Awaited<ReturnType<typeof onBus>>) => unknown]>([
    ["its set meets missed news", ({ bus }) => bus.receiver.changed("all")],
    [
      "its set meets the news of an earlier invalidation of its tag",
      ({ bus }) => bus.receiver.changed(["cacheme:~tag:team:7"]),
    ],
    [
      "a read has brought it to a local tier since such news",
      async ({ bus, cacheme, user }) => {
        bus.receiver.changed(["cacheme:~tag:team:7"]);
        expect(await cacheme.get(user(1))).toBe("old");
      },
    ],
    [
      "another client takes the storage's name during its set",
      ({ cacheme, clock, remote }) =>
        cacheme.registerStorage("remote", new TaggedRemote(clock, remote), { replace: true }),
    ],
  ])("leaves no older one if %s", async (_title, meet) => {
    const made = await onBus(lease);
    const { cacheme, remote, user } = made;
    const held = hold(remote, "ensure", "answer");
    const setting = cacheme.set(user(1), "new");
    await settled();
    await meet(made);
    held.resolve();
    await setting;
    expect(await cacheme.get(user(1))).toBe("new");
  });

  it("leaves no older one if its refresh meets missed news", async () => {
    const { cacheme, bus, user, source } = await onBus(lease);
    const loading = deferred();
    source.gate = loading.promise;
    const refreshed = cacheme.refresh(user(1));
    while (source.loads < 2) await settled();
    bus.receiver.changed("all");
    loading.resolve();
    expect(await refreshed).toBe("new");
    await settled();
    expect(await cacheme.get(user(1))).toBe("new");
  });

  it("leaves no older one that a read has brought to a local tier during its refresh", async () => {
    const { cacheme, bus, user, source } = await onBus(lease);
    const loading = deferred();
    source.gate = loading.promise;
    const refreshed = cacheme.refresh(user(1));
    while (source.loads < 2) await settled();
    bus.receiver.changed("all");
    expect(await cacheme.get(user(1))).toBe("old");
    loading.resolve();
    expect(await refreshed).toBe("new");
    await settled();
    expect(await cacheme.get(user(1))).toBe("new");
  });
});
