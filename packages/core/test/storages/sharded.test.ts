import { describe, expect, it } from "vitest";
import { Rendezvous } from "../../src/driver/rendezvous.js";
import {
  BatchError,
  Cacheme,
  KeyPattern,
  type Leases,
  type RemoteStorage,
  sharded,
} from "../../src/index.js";
import { reason, thrownBy } from "../support/reason.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

const keys = Array.from({ length: 20_000 }, (_, index) => `cacheme:user:${index}:1`);

function shard(name: string, weight = 1) {
  const clock = new VirtualClock();
  return { storage: new SimulatedRemote(clock), name, weight };
}

/** Leases without an end, with the functions that a fill needs. */
class LeasedRemote extends SimulatedRemote {
  readonly #tokens = new Map<string, string>();
  readonly leases: Leases = {
    acquire: async (requests) =>
      requests.map(({ key }, index) => {
        const token = `${index}`;
        this.#tokens.set(key, token);
        return { outcome: "granted", token, at: 0 };
      }),
    fill: async (records) => {
      const granted = records.filter(({ key, token }) => this.#drop(key, token));
      await this.writeMany(granted);
      return records.map((one) => granted.includes(one));
    },
    release: async (held) => held.map(({ key, token }) => this.#drop(key, token)),
    extend: async (held) => held.map(({ key, token }) => this.#tokens.get(key) === token),
  };

  #drop(key: string, token: string): boolean {
    return this.#tokens.get(key) === token && this.#tokens.delete(key);
  }
}

/** Rejects every call from now on. */
function fail(storage: SimulatedRemote): void {
  storage.gate = () => {
    throw new Error("down");
  };
}

const record = (key: string) => ({ key, bytes: Buffer.from(key), ttl: 60_000 });

/** Only knows once it is connected that its server is a proxy, behind which it has no leases. */
class RemoteBehindProxy extends LeasedRemote {
  override async connect(): Promise<void> {
    Object.assign(this, { leases: undefined });
  }
}

describe("the shard of a key", () => {
  it("is about 1 in N of the keys for each of N, and in the ratio of the weights", () => {
    for (const weights of [
      [1, 1],
      [1, 1, 1, 1, 1],
      [1, 2, 5],
      [0.5, 0.25, 0.25],
    ]) {
      const storage = sharded(weights.map((weight, index) => shard(`shard ${index}`, weight)));
      const owners = keys.map((key) => storage.shardFor(key));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [index, weight] of weights.entries()) {
        const share = owners.filter((owner) => owner === `shard ${index}`).length / keys.length;
        expect(Math.abs(share - weight / total)).toBeLessThan(0.02);
      }
    }
  });

  it("does not depend on the order of the list", () => {
    const [one, other] = [
      sharded(["a", "b", "c"].map((name) => shard(name))),
      sharded(["c", "a", "b"].map((name) => shard(name))),
    ];
    for (const key of keys.slice(0, 1000)) expect(one.shardFor(key)).toBe(other.shardFor(key));
  });

  it("moves for about 1 in N of the keys when one of N is added, and only to the new one", async () => {
    const storage = sharded(["a", "b", "c", "d"].map((name) => shard(name)));
    const before = keys.map((key) => storage.shardFor(key));
    await storage.addShard(shard("e"));
    const moved = keys.filter((key, index) => storage.shardFor(key) !== before[index]);
    expect(Math.abs(moved.length / keys.length - 1 / 5)).toBeLessThan(0.02);
    expect(moved.every((key) => storage.shardFor(key) === "e")).toBe(true);
    await storage.removeShard("e");
    expect(keys.map((key) => storage.shardFor(key))).toEqual(before);
  });

  it("spreads the lots of two members independently", () => {
    const pairs = new Rendezvous<{ name: string; weight: number }>();
    const first = new Map<string, number>();
    pairs.members = ["a", "b", "c"].map((name) => ({ name, weight: 1 }));
    const winners = keys.map((key) => pairs.of(key)?.name);
    pairs.members = ["b", "c"].map((name) => ({ name, weight: 1 }));
    for (const [index, key] of keys.entries()) {
      if (winners[index] === "a")
        first.set(pairs.of(key)?.name ?? "", (first.get(pairs.of(key)?.name ?? "") ?? 0) + 1);
    }
    const [b = 0, c = 0] = [first.get("b"), first.get("c")];
    expect(b / (b + c)).toBeGreaterThan(0.46);
    expect(b / (b + c)).toBeLessThan(0.54);
  });
});

describe("a sharded storage", () => {
  it("sends each shard its own keys once, and answers in the order of the request", async () => {
    const shards = ["a", "b", "c"].map((name) => shard(name));
    const storage = sharded(shards);
    await storage.writeMany(keys.slice(0, 100).map(record));
    const asked = [...keys.slice(50, 150), keys[0]!];
    const found = await storage.readMany(asked);
    expect(found.map((bytes) => bytes && Buffer.from(bytes).toString())).toEqual(
      asked.map((key) => (keys.indexOf(key) < 100 ? key : undefined)),
    );
    for (const { storage: one } of shards)
      expect(one.calls.map(({ operation }) => operation)).toEqual(["write", "read"]);
    expect(await storage.removeMany(keys.slice(0, 200))).toBe(100);
  });

  it("misses the keys of a shard that is down, and finds the rest", async () => {
    const shards = ["a", "b"].map((name) => shard(name));
    const storage = sharded(shards);
    await storage.writeMany(keys.slice(0, 50).map(record));
    fail(shards[0]!.storage);
    const found = await storage.readMany(keys.slice(0, 50));
    for (const [index, bytes] of found.entries()) {
      expect(bytes === undefined).toBe(storage.shardFor(keys[index]!) === "a");
    }
  });

  it("reports the keys that a dead shard did not remove or store, and does the rest", async () => {
    const shards = ["a", "b"].map((name) => shard(name));
    const storage = sharded(shards);
    const some = keys.slice(0, 50);
    const [dead, alive] = [
      some.filter((key) => storage.shardFor(key) === "a"),
      some.filter((key) => storage.shardFor(key) === "b"),
    ];
    fail(shards[0]!.storage);
    for (const act of [() => storage.writeMany(some.map(record)), () => storage.removeMany(some)]) {
      const error = await reason(act());
      expect(error).toBeInstanceOf(BatchError);
      expect([...(error as BatchError).keys].sort()).toEqual(dead.toSorted());
      expect(error).toMatchObject({ message: expect.stringMatching(/a: down/) });
    }
    expect(shards[1]!.storage.calls.map(({ operation, keys }) => [operation, keys.length])).toEqual([
      ["write", alive.length],
      ["remove", alive.length],
    ]);
  });

  it("costs a get of a dead shard's key only a load, and a set of a living shard's key no error", async () => {
    const shards = ["a", "b"].map((name) => shard(name));
    const cacheme = new Cacheme();
    const storage = sharded(shards);
    await cacheme.registerStorage("far", storage);
    const { Counting, loads } = countingNode(
      { name: "n", caches: [{ storage: "far", ttl: "1m" }] },
      (id) => id,
    );
    const keyOf = (id: number) => `cacheme:n:${id}:0`;
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await cacheme.setAll(ids.map((id) => [new Counting(id), id] as const));
    const inA = [...shards[0]!.storage.records.keys()];
    const dead = ids.filter((id) => inA.some((key) => key.startsWith(keyOf(id).slice(0, -1))));
    expect(dead.length).toBeGreaterThan(2);
    expect(dead.length).toBeLessThan(18);
    fail(shards[0]!.storage);
    expect(await cacheme.getAll(ids.map((id) => new Counting(id)))).toEqual(ids);
    expect(loads.toSorted((a, b) => a - b)).toEqual(dead);
    const outcomes = await Promise.allSettled(ids.map((id) => cacheme.set(new Counting(id), id)));
    for (const [id, { status }] of outcomes.entries()) {
      expect([id, status]).toEqual([id, dead.includes(id) ? "rejected" : "fulfilled"]);
    }
  });

  it("never brings back a value that was overwritten or removed while a shard was present", async () => {
    const storage = sharded(["a", "b"].map((name) => shard(name)));
    await storage.writeMany(keys.slice(0, 200).map(record));
    await storage.addShard(shard("c"));
    await storage.removeMany(keys.slice(0, 100));
    await storage.writeMany(
      keys.slice(100, 200).map((key) => ({ ...record(key), bytes: Buffer.from("new") })),
    );
    await storage.removeShard("c");
    const found = await storage.readMany(keys.slice(0, 200));
    expect(found.slice(0, 100).every((bytes) => bytes === undefined)).toBe(true);
    for (const bytes of found.slice(100))
      expect([undefined, "new"]).toContain(bytes && Buffer.from(bytes).toString());
  });

  it("never brings back a value that was filled again while a shard was present", async () => {
    const shards = ["a", "b", "c"].map((name) => ({ name, storage: new LeasedRemote(new VirtualClock()) }));
    const [a, b, c] = shards;
    if (a === undefined || b === undefined || c === undefined) throw new Error("there are three");
    const storage = sharded([a, b]);
    const some = keys.slice(0, 200);
    await storage.writeMany(some.map(record));
    const former = new Map(some.map((key) => [key, storage.shardFor(key)]));
    await storage.addShard(c);
    const refill = async () => {
      const leases = await storage.leases!.acquire(some.map((key) => ({ key, duration: 1000, steal: true })));
      return storage.leases!.fill(
        leases.map((lease, index) => ({
          ...record(some[index]!),
          bytes: Buffer.from("new"),
          token: lease.outcome === "granted" ? lease.token : "",
        })),
      );
    };
    b.storage.gate = (operation) => {
      if (operation === "remove") throw new Error("down");
    };
    const isMoved = (key: string) => storage.shardFor(key) === "c";
    const filled = await refill();
    // Keys of which b may still have the old value are not reported as stored. Values in c may
    // exist as well.
    for (const [index, key] of some.entries()) {
      const isLeft = storage.shardFor(key) !== "b";
      expect([key, filled[index]]).toEqual([key, !isLeft]);
    }
    expect(some.some((key) => isMoved(key) && former.get(key) === "b")).toBe(true);
    b.storage.gate = () => {};
    expect(await refill()).toEqual(some.map(() => true));
    await storage.removeShard("c");
    for (const bytes of await storage.readMany(some)) {
      expect([undefined, "new"]).toContain(bytes && Buffer.from(bytes).toString());
    }
    const bad = { ...record("bad\n"), token: "" };
    expect(await reason(storage.leases!.fill([{ ...record(some[0]!), token: "" }, bad]))).toMatchObject({
      code: "CACHEME_INVALID_KEY",
    });
  });

  it("adds no shard once it is closed, and closes one that comes meanwhile", async () => {
    const [a, late, later] = [shard("a"), shard("late"), shard("later")];
    const storage = sharded([a]);
    await storage.connect();
    let connected = (): void => {};
    late.storage.connect = () =>
      new Promise((resolve) => {
        connected = resolve;
      });
    const adding = storage.addShard(late);
    await storage.close();
    connected();
    expect(await reason(adding)).toMatchObject({ code: "CACHEME_CLOSED" });
    expect(late.storage.closed).toBe(1);
    expect(await reason(storage.addShard(later))).toMatchObject({ code: "CACHEME_CLOSED" });
    expect(later.storage.connected).toBe(0);
  });

  it("lists its shards, connects those that are added, and closes those that are removed", async () => {
    const [a, b, c] = [shard("a"), shard("b", 3), shard("c")];
    const storage = sharded([a, b]);
    await storage.connect();
    await storage.addShard(c);
    expect(storage.shards()).toEqual([
      { name: "a", weight: 1 },
      { name: "b", weight: 3 },
      { name: "c", weight: 1 },
    ]);
    expect([a, b, c].map((one) => one.storage.connected)).toEqual([1, 1, 1]);
    await storage.removeShard("a");
    expect(a.storage.closed).toBe(1);
    await storage.close();
    expect([a, b, c].map((one) => one.storage.closed)).toEqual([1, 1, 1]);
  });

  it("refuses invalid arguments", async () => {
    const options = { code: "CACHEME_INVALID_OPTION" };
    expect(thrownBy(() => sharded([]))).toMatchObject(options);
    expect(thrownBy(() => sharded([shard("a"), shard("a")]))).toMatchObject(options);
    expect(thrownBy(() => sharded([shard("a", 0)]))).toMatchObject(options);
    expect(thrownBy(() => sharded([shard("a", Number.NaN)]))).toMatchObject(options);
    expect(thrownBy(() => sharded([{} as RemoteStorage]))).toMatchObject(options);
    for (const wrong of [undefined, "redis://a", ["redis://a"], [undefined]]) {
      expect(thrownBy(() => sharded(wrong as never))).toMatchObject(options);
    }
    const storage = sharded([shard("a")]);
    expect(await reason(storage.addShard(shard("a")))).toMatchObject(options);
    expect(await reason(storage.removeShard("a"))).toMatchObject(options);
    expect(await reason(storage.removeShard("z"))).toMatchObject(options);
    expect(storage.lacks?.generations).toMatch(/clocks/);
    expect(storage.scan).toBeUndefined();
    expect(KeyPattern.startingWith("a").prefix).toBe("a");
  });
});

describe("a touch of sharded records", () => {
  it("reaches each record's shard, and finds none in a shard that is down", async () => {
    const [a, b] = [shard("a"), shard("b")];
    const storage = sharded([a, b]);
    const some = keys.slice(0, 20);
    await storage.writeMany(some.map(record));
    const touches = [...some, "none"].map((key) => ({ key, ttl: 120_000 }));
    expect(await storage.touchMany?.(touches)).toEqual([...some.map(() => true), false]);
    expect([a.storage.count("touch"), b.storage.count("touch")]).toEqual([1, 1]);
    fail(a.storage);
    const owners = some.map((key) => storage.shardFor(key));
    expect(new Set(owners)).toEqual(new Set(["a", "b"]));
    expect(await storage.touchMany?.(touches.slice(0, -1))).toEqual(owners.map((owner) => owner === "b"));
    Object.assign(b.storage, { touchMany: undefined });
    expect(storage.touchMany).toBeUndefined();
  });
});

describe("the leases of shards", () => {
  it("are gone when a shard finds a server without leases, with the shard's name in the reason", async () => {
    const storage = sharded([
      { storage: new LeasedRemote(new VirtualClock()), name: "a" },
      { storage: new RemoteBehindProxy(new VirtualClock()), name: "b" },
    ]);
    expect(storage.leases).toBeDefined();
    expect(storage.lacks).not.toHaveProperty("leases");
    await storage.connect();
    expect(storage.leases).toBeUndefined();
    expect(storage.lacks?.leases).toBe("Its shard b has none.");
  });

  it("keep out a new shard that finds a server without leases", async () => {
    const storage = sharded([{ storage: new LeasedRemote(new VirtualClock()), name: "a" }]);
    await storage.connect();
    const added = { storage: new RemoteBehindProxy(new VirtualClock()), name: "b" };
    expect(await reason(storage.addShard(added))).toMatchObject({
      message: expect.stringContaining("The shard b has no leases"),
    });
    expect(storage.shards()).toEqual([{ name: "a", weight: 1 }]);
  });
});

/** A shard that lists its keys. */
class Listed extends SimulatedRemote {
  async *scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    await this.gate("read", "request");
    yield [...this.records.keys()].filter((key) => pattern.matches(key));
  }
}

describe("a shard that is added again", () => {
  const few = keys.slice(0, 30);

  async function removedAndAdded(make: (clock: VirtualClock) => SimulatedRemote) {
    const clock = new VirtualClock();
    const [a, b] = [make(clock), make(clock)];
    const storage = sharded([
      { storage: a, name: "a" },
      { storage: b, name: "b" },
    ]);
    await storage.connect();
    await storage.writeMany(few.map(record));
    await storage.removeShard("b");
    await storage.removeMany(few); // Does not reach b.
    b.records.set("other program's", { bytes: new Uint8Array(1), until: Number.POSITIVE_INFINITY });
    return { storage, b };
  }

  it("answers with no value from before an invalidation, and keeps other programs' keys", async () => {
    const { storage, b } = await removedAndAdded((clock) => new Listed(clock));
    expect(b.records.size).toBeGreaterThan(5);
    await storage.addShard({ storage: b, name: "b" });
    expect(await storage.readMany(few)).toEqual(few.map(() => undefined));
    expect([...b.records.keys()]).toEqual(["other program's"]);
  });

  it("is not added if its old entries cannot be removed", async () => {
    const { storage, b } = await removedAndAdded((clock) => new Listed(clock));
    fail(b);
    await expect(storage.addShard({ storage: b, name: "b" })).rejects.toThrow("down");
    expect(storage.shards().map(({ name }) => name)).toEqual(["a"]);
    b.gate = () => {};
    await storage.addShard({ storage: b, name: "b" });
    expect(await storage.readMany(few)).toEqual(few.map(() => undefined));
  });

  it("is refused if it cannot list its keys, unless the program says that it is empty", async () => {
    const { storage, b } = await removedAndAdded((clock) => new SimulatedRemote(clock));
    expect(await reason(storage.addShard({ storage: b, name: "b" }))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringMatching(/b was removed before.*isEmpty: true/),
    });
    b.records.clear();
    await storage.addShard({ storage: b, name: "b", isEmpty: true });
    expect(await storage.readMany(few)).toEqual(few.map(() => undefined));
  });

  it("is not cleared if it is new, because another process may have filled it", async () => {
    const { storage } = await removedAndAdded((clock) => new Listed(clock));
    const c = shard("c");
    c.storage.records.set("cacheme:x:1:1", { bytes: new Uint8Array(1), until: Number.POSITIVE_INFINITY });
    await storage.addShard(c);
    expect(c.storage.records.size).toBe(1);
  });
});
