import { describe, expect, it } from "vitest";
import { Cacheme, memory } from "../../src/index.js";
import { type Deferred, deferred, settled } from "../support/deferred.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

async function twoRemotes() {
  const clock = new VirtualClock();
  const cacheme = new Cacheme({ clock });
  const [near, far] = [new SimulatedRemote(clock), new SimulatedRemote(clock)];
  await cacheme.registerStorage("near", near);
  await cacheme.registerStorage("far", far);
  const caches = [{ storage: "near" }, { storage: "far" }];
  return { cacheme, near, far, caches };
}

/** Holds the storage's first request of that kind at that moment. */
function hold(remote: SimulatedRemote, held: "read" | "write", at: "request" | "answer"): Deferred<void> {
  const gate = deferred();
  let isHeld = false;
  remote.gate = (operation, moment) => {
    if (isHeld || operation !== held || moment !== at) return undefined;
    isHeld = true;
    return gate.promise;
  };
  return gate;
}

describe("promise 10: a set that waits for an older write", () => {
  it("is written if a value that was read meanwhile has replaced it and is overtaken", async () => {
    const { cacheme, near, caches } = await twoRemotes();
    const { Counting } = countingNode<string>({ caches }, () => "unused");
    const writing = hold(near, "write", "request");
    const older = cacheme.set(new Counting(1), "older");
    await settled();
    const newer = cacheme.set(new Counting(1), "newer");
    await settled();
    expect(await cacheme.get(new Counting(1))).toBe("newer");
    await settled();
    writing.resolve();
    await Promise.all([older, newer]);
    expect(await cacheme.get(new Counting(1))).toBe("newer");
  });

  it("is written instead of an older value that was read meanwhile", async () => {
    const { cacheme, near, far, caches } = await twoRemotes();
    const { Counting } = countingNode<string>({ caches }, () => "unused");
    await cacheme.set(new Counting(1), "oldest");
    near.records.clear();
    const writing = hold(near, "write", "request");
    const older = cacheme.set(new Counting(1), "older");
    await settled();
    const setting = hold(far, "write", "request");
    const newer = cacheme.set(new Counting(1), "newer");
    await settled();
    const answering = deferred();
    far.gate = (operation, moment) =>
      operation === "read" && moment === "answer" ? answering.promise : undefined;
    const read = cacheme.get(new Counting(1));
    await settled();
    setting.resolve();
    await settled();
    answering.resolve();
    await read;
    writing.resolve();
    await Promise.all([older, newer]);
    expect(await cacheme.get(new Counting(1))).toBe("newer");
  });
});

describe("promise 10: a set that is carried out between a read and its load", () => {
  it("is not found after the load's value if that value cannot be stored", async () => {
    const { cacheme, near, far, caches } = await twoRemotes();
    const refused = () => "no bytes";
    const loading = deferred<unknown>();
    const { Counting } = countingNode<unknown>(
      { caches: [{ storage: "local" }, ...caches] },
      () => loading.promise,
    );
    await cacheme.registerStorage("local", memory());
    cacheme.on("notStored", () => {});
    const writing = hold(far, "write", "request");
    const set = cacheme.set(new Counting(1), "set");
    await settled();
    const read = cacheme.get(new Counting(1));
    await settled();
    writing.resolve();
    await set;
    loading.resolve(refused);
    expect(await read).toBe(refused);
    await settled();
    await cacheme.clear();
    expect([near.records.size, far.records.size]).toEqual([0, 0]);
  });
});
