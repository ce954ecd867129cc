import { describe, expect, it } from "vitest";
import { Cacheme, memory } from "../src/index.js";
import { deferred } from "./support/deferred.js";
import { reason } from "./support/reason.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { countingNode, space } from "./support/space.js";
import { VirtualClock } from "./support/virtual-clock.js";

/** Makes a remote storage whose connect() the test settles. */
function connecting() {
  const remote = new SimulatedRemote(new VirtualClock());
  const connected = deferred();
  Object.defineProperty(remote, "connect", { value: () => connected.promise });
  return { remote, connected };
}

describe("registerStorage", () => {
  it("connects a remote storage once, and lists the storages in their order", async () => {
    const { cacheme, remote } = await space();
    expect(remote.connected).toBe(1);
    expect(cacheme.storages()).toEqual([
      {
        name: "local",
        kind: "local",
        label: "memory (10,000 entries)",
        offers: [],
        failureCount: 0,
        lastError: undefined,
        breaker: undefined,
        pendingRemovals: 0,
      },
      {
        name: "remote",
        kind: "remote",
        label: "simulated",
        offers: ["touchMany"],
        failureCount: 0,
        lastError: undefined,
        breaker: "closed",
        pendingRemovals: 0,
      },
    ]);
  });

  it("reports a node that is read before the storage is connected, and works afterwards", async () => {
    const cacheme = new Cacheme();
    const { remote, connected } = connecting();
    const { Counting } = countingNode({ name: "user", caches: [{ storage: "redis" }] }, (id) => id);
    const registered = cacheme.registerStorage("redis", remote);
    expect(await reason(cacheme.get(new Counting(1)))).toMatchObject({
      code: "CACHEME_UNKNOWN_STORAGE",
      node: "user",
      storage: "redis",
      message: expect.stringMatching(
        /"redis" of node "user" is still being connected\. Wait for registerStorage/,
      ),
    });
    connected.resolve();
    await registered;
    expect(await cacheme.get(new Counting(1))).toBe(1);
  });

  it("keeps a name that is being connected from being registered twice", async () => {
    const cacheme = new Cacheme();
    const { remote, connected } = connecting();
    const registered = cacheme.registerStorage("redis", remote);
    expect(await reason(cacheme.registerStorage("redis", memory()))).toMatchObject({
      code: "CACHEME_DUPLICATE_STORAGE",
      storage: "redis",
    });
    connected.resolve();
    await registered;
    expect(cacheme.storages().map(({ kind }) => kind)).toEqual(["remote"]);
  });

  it("frees the name if the storage cannot be connected", async () => {
    const cacheme = new Cacheme();
    const { remote, connected } = connecting();
    const refused = reason(cacheme.registerStorage("redis", remote));
    connected.reject(new Error("ECONNREFUSED 127.0.0.1:6379"));
    expect(await refused).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      storage: "redis",
      message: expect.stringMatching(
        /"redis" \(simulated\) could not be connected: ECONNREFUSED.*Start the server/,
      ),
      cause: new Error("ECONNREFUSED 127.0.0.1:6379"),
    });
    expect(cacheme.storages()).toEqual([]);
    await cacheme.registerStorage("redis", memory());
    expect(cacheme.storages()).toMatchObject([{ name: "redis", kind: "local" }]);
  });

  it("reports that no storage is registered if none is", async () => {
    const cacheme = new Cacheme();
    const { Counting } = countingNode({ caches: [{ storage: "local" }] }, (id) => id);
    expect(await reason(cacheme.get(new Counting(1)))).toMatchObject({
      message: expect.stringMatching(
        /not registered\. No storage is registered\. Call registerStorage\("local"/,
      ),
    });
  });

  it("does not read a class's meta again after its first use", async () => {
    const { cacheme } = await space();
    const { Counting } = countingNode({ caches: [{ storage: "local", ttl: "1m" }] }, (id) => id);
    await cacheme.get(new Counting(1));
    Counting.meta = { name: "counting", caches: [{ storage: "nowhere", ttl: "1h" }] };
    await cacheme.get(new Counting(2));
    expect(cacheme.peekLocal(new Counting(2))?.ttl).toBe(60_000);
  });
});
