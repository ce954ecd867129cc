import { expect, it } from "vitest";
import { Cacheme, defineNode } from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { LeasedRemote } from "../support/leased-remote.js";
import { reason } from "../support/reason.js";
import { remoteOnly } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** Two processes whose removals of a key have not reached the storage, which answers again. */
async function distrustful() {
  const clock = new VirtualClock();
  const remote = new LeasedRemote(clock);
  const source = { value: "old", gate: Promise.resolve(), running: 0, most: 0, loads: 0 };
  const user = defineNode({
    name: "user",
    caches: remoteOnly,
    key: (id: number) => `${id}`,
    load: async () => {
      source.loads += 1;
      source.running += 1;
      source.most = Math.max(source.most, source.running);
      const { value } = source;
      await source.gate;
      source.running -= 1;
      return value;
    },
  });
  const process = async () => {
    const cacheme = new Cacheme({ clock });
    await cacheme.registerStorage("remote", remote);
    await cacheme.get(user(1));
    return cacheme;
  };
  const [one, other] = [await process(), await process()];
  source.value = "new";
  remote.gate = (operation) => {
    if (operation === "remove") throw new Error("The storage refuses removals.");
  };
  await Promise.all([one, other].map((cacheme) => reason(cacheme.invalidate(user(1)))));
  Object.assign(source, { most: 0, loads: 0 });
  return { one, other, clock, source, user };
}

it("load a key one after the other if both distrust its entry", async () => {
  const { one, other, clock, source, user } = await distrustful();
  const loading = deferred();
  source.gate = loading.promise;
  const reads = [one.get(user(1)), other.get(user(1))];
  await settled();
  loading.resolve();
  for (let turn = 0; turn < 10; turn++) {
    await settled();
    clock.advance(50);
  }
  expect(await Promise.all(reads)).toEqual(["new", "new"]);
  expect(source.most).toBe(1);
});

it("trust the tier again once a load has replaced the old entry", async () => {
  const { one, source, user } = await distrustful();
  expect(await one.get(user(1))).toBe("new");
  expect(await one.get(user(1))).toBe("new");
  expect(source.loads).toBe(1);
});
