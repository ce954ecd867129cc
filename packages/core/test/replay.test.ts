import { describe, expect, it, vi } from "vitest";
import {
  Cacheme,
  type IncompleteError,
  memory,
  Node,
  type NodeMeta,
  type RemoteStorage,
} from "../src/index.js";
import type { KeyPattern } from "../src/storage/key-pattern.js";
import { settled } from "./support/deferred.js";
import { hold } from "./support/hold.js";
import { reason } from "./support/reason.js";
import { SimulatedRemote } from "./support/simulated-remote.js";
import { countingNode, remoteOnly, twoTiers } from "./support/space.js";
import { expectNothingUnhandled } from "./support/unhandled.js";
import { VirtualClock } from "./support/virtual-clock.js";

expectNothingUnhandled();

const gone = new Error("gone");
const down = () => Promise.reject(gone);
const never = () => new Promise<never>(() => {});

/** A space with two remote storages, and a source whose value a test changes. */
async function spaceWith(
  caches: NodeMeta["caches"],
  options: Parameters<Cacheme["registerStorage"]>[2] = {},
) {
  const clock = new VirtualClock();
  const cacheme = new Cacheme({ clock });
  const [remote, far] = [new SimulatedRemote(clock), new SimulatedRemote(clock)];
  Object.defineProperty(far, "label", { value: "far" });
  await cacheme.registerStorage("local", memory());
  await cacheme.registerStorage("remote", remote, options);
  await cacheme.registerStorage("far", far, options);
  const source = { value: "old" };
  const { Counting, loads } = countingNode({ caches }, () => source.value);
  const pending = (name = "remote") =>
    cacheme.storages().find((status) => status.name === name)?.pendingRemovals;
  return { clock, cacheme, remote, far, source, Counting, loads, pending };
}

/** Advances the time in steps, so that what one step causes happens before the next. */
async function pass(clock: VirtualClock, milliseconds: number, step = 50): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += step) {
    clock.advance(step);
    await settled();
  }
}

/** Returns "pending", "resolved", or the reason. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol("pending");
  const state = await Promise.race([
    promise.then(
      () => "resolved",
      (error: unknown) => error,
    ),
    settled().then(() => pending),
  ]);
  return state === pending ? "pending" : state;
}

const both: NodeMeta["caches"] = [
  { storage: "remote", ttl: "10m" },
  { storage: "far", ttl: "1h" },
];

describe("an invalidation that did not reach a storage", () => {
  it("rejects, is repeated when the storage is back, and says when it is done", async () => {
    const { cacheme, clock, remote, source, Counting, pending } = await spaceWith(remoteOnly);
    const events: string[] = [];
    cacheme.on("invalidate", ({ key }) => events.push(key));
    await cacheme.get(new Counting(1));
    source.value = "new";
    remote.gate = down;
    const error = (await reason(cacheme.invalidate(new Counting(1)))) as IncompleteError;
    expect(error).toMatchObject({ code: "CACHEME_INVALIDATION_INCOMPLETE", storages: ["remote"] });
    expect(error.message).toContain("Cacheme repeats the removal until it succeeds");
    expect(pending()).toBe(1);
    await pass(clock, 5_000);
    expect(await stateOf(error.settled)).toBe("pending");
    expect(remote.records.size).toBe(1);
    remote.gate = () => {};
    await pass(clock, 30_000);
    await error.settled;
    expect(events).toEqual(["1"]);
    expect(remote.records.size).toBe(0);
    expect(pending()).toBe(0);
    expect(clock.pending).toBe(0);
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("hides the old value from this process meanwhile, although reads succeed again", async () => {
    const { cacheme, remote, source, Counting } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    source.value = "new";
    remote.gate = (operation) => (operation === "remove" ? down() : undefined);
    await reason(cacheme.invalidate(new Counting(1)));
    remote.gate = (operation) => (operation === "remove" || operation === "write" ? down() : undefined);
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
    expect(await cacheme.get(new Counting(1))).toBe("new");
    expect(remote.records.size).toBe(1);
  });

  it("is repeated as soon as the storage answers another call", async () => {
    const { cacheme, remote, Counting, pending } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    remote.gate = (operation) => (operation === "remove" ? down() : undefined);
    const error = (await reason(cacheme.invalidate(new Counting(1)))) as IncompleteError;
    remote.gate = () => {};
    await cacheme.get(new Counting(2));
    await error.settled;
    expect(pending()).toBe(0);
  });

  it("is repeated at most once a second while the storage answers and refuses it", async () => {
    const { cacheme, clock, remote, Counting } = await spaceWith(remoteOnly);
    remote.gate = (operation) => (operation === "remove" ? down() : undefined);
    await reason(cacheme.invalidate(new Counting(1)));
    const before = remote.count("remove");
    for (let id = 0; id < 200; id++) {
      await cacheme.get(new Counting(1_000 + id));
      await pass(clock, 50);
    }
    expect(remote.count("remove") - before).toBeGreaterThan(2);
    expect(remote.count("remove") - before).toBeLessThanOrEqual(12);
  });

  it("ends when a newer value has replaced the old one", async () => {
    const { cacheme, remote, Counting, pending } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    remote.gate = (operation) => (operation === "remove" ? down() : undefined);
    const error = (await reason(cacheme.invalidate(new Counting(1)))) as IncompleteError;
    await cacheme.set(new Counting(1), "set");
    await error.settled;
    expect(pending()).toBe(0);
    expect((await cacheme.peek(new Counting(1)))?.value).toBe("set");
  });

  it("goes from right to left: a tier on the left, which may be refilled, is removed after", async () => {
    const { cacheme, clock, remote, far, source, Counting, pending } = await spaceWith(both);
    await cacheme.get(new Counting(1));
    source.value = "new";
    const stored = [...remote.records];
    far.gate = down;
    const error = (await reason(cacheme.invalidate(new Counting(1)))) as IncompleteError;
    expect(error.storages).toEqual(["far"]);
    expect(pending("far")).toBe(1);
    expect(pending("remote")).toBe(1);
    // Another process reads the old value on the right, and fills the tier on the left with it.
    for (const [key, record] of stored) remote.records.set(key, record);
    await pass(clock, 3_000);
    expect(remote.records.size).toBe(1);
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
    const order: string[] = [];
    const noting = (name: string) => (operation: string, moment: string) => {
      if (operation === "remove" && moment === "request") order.push(name);
    };
    far.gate = noting("far");
    remote.gate = noting("remote");
    await pass(clock, 60_000);
    await error.settled;
    expect(order).toEqual(["far", "remote"]);
    expect([remote.records.size, far.records.size]).toEqual([0, 0]);
    expect([pending("far"), pending("remote"), clock.pending]).toEqual([0, 0, 0]);
  });

  it("does not keep others waiting if one key always fails", async () => {
    const { cacheme, clock, remote, Counting, pending } = await spaceWith(remoteOnly, { breaker: false });
    const nodes = Array.from({ length: 2_500 }, (_, id) => new Counting(id));
    remote.gate = down;
    await reason(cacheme.invalidate(nodes));
    expect(pending()).toBe(2_500);
    remote.gate = (operation) => {
      const refused = remote.calls.at(-1)?.keys.some((key) => key.includes(":7:"));
      return operation === "remove" && refused ? down() : undefined;
    };
    await pass(clock, 120_000, 1_000);
    // One request has the key that fails, and each request has other keys than the one before.
    expect(pending()).toBeLessThan(2_500 / 2);
  });

  it("is kept across a replacement of the storage by another client of its server", async () => {
    const { cacheme, clock, remote, Counting, pending } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    remote.gate = down;
    const error = (await reason(cacheme.invalidate(new Counting(1)))) as IncompleteError;
    const again = new SimulatedRemote(clock, remote);
    await cacheme.registerStorage("remote", again, { replace: true });
    expect(pending()).toBe(1);
    await pass(clock, 1_000);
    await error.settled;
    expect(remote.records.size).toBe(0);
  });

  it("names all keys' storages, and settles when all are done", async () => {
    const { cacheme, clock, remote, far, Counting } = await spaceWith(both);
    remote.gate = far.gate = down;
    const error = (await reason(cacheme.invalidate(new Counting(1), new Counting(2)))) as IncompleteError;
    expect(error.storages).toEqual(["remote", "far"]);
    far.gate = () => {};
    await pass(clock, 5_000);
    expect(await stateOf(error.settled)).toBe("pending");
    remote.gate = () => {};
    await pass(clock, 60_000);
    await error.settled;
  });
});

describe("a set that did not reach a storage", () => {
  it("rejects, and says when the old value is gone", async () => {
    const { cacheme, clock, remote, Counting, pending } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    remote.gate = down;
    const error = (await reason(cacheme.set(new Counting(1), "set"))) as IncompleteError;
    expect(error).toMatchObject({ code: "CACHEME_WRITE_INCOMPLETE", storages: ["remote"] });
    await pass(clock, 2_000);
    expect(await stateOf(error.settled)).toBe("pending");
    expect(pending()).toBe(1);
    remote.gate = () => {};
    await pass(clock, 30_000);
    await error.settled;
    expect(remote.records.size).toBe(0);
  });

  it("ends at once if the old value could be removed", async () => {
    const { cacheme, remote, Counting } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    remote.gate = (operation) => (operation === "write" ? down() : undefined);
    const error = (await reason(cacheme.set(new Counting(1), "set"))) as IncompleteError;
    await error.settled;
    expect(remote.records.size).toBe(0);
  });
});

/** A storage that lists its keys. */
class Scanned extends SimulatedRemote {
  readonly patterns: string[] = [];
  async *scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    this.patterns.push(String(pattern));
    await this.gate("read", "request");
    const keys = [...this.records.keys()].filter((key) => pattern.matches(key));
    for (let start = 0; start < keys.length; start += 100) yield keys.slice(start, start + 100);
  }
}

describe("more failed removals than are kept", () => {
  /** Invalidates more keys than are kept, of an entry of before. */
  async function overflowing<R extends SimulatedRemote>(make: (clock: VirtualClock) => R) {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const remote = make(clock);
    await cacheme.registerStorage("remote", remote);
    const source = { value: "old" };
    const { Counting } = countingNode({ caches: remoteOnly }, () => source.value);
    await cacheme.getAll([new Counting(1), new Counting(20_000)]);
    source.value = "new";
    remote.gate = down;
    const nodes = Array.from({ length: 10_001 }, (_, id) => new Counting(id));
    const error = (await reason(cacheme.invalidate(nodes))) as IncompleteError;
    const pending = () => cacheme.storages()[0]?.pendingRemovals;
    return { clock, cacheme, remote, source, Counting, error, pending };
  }

  it("become one: all keys of the class are removed when the storage is back", async () => {
    const { clock, cacheme, remote, Counting, error, pending } = await overflowing(
      (clock) => new Scanned(clock),
    );
    const other = countingNode({ name: "other", caches: remoteOnly }, () => "other");
    expect(pending()).toBe(1);
    await pass(clock, 3_000);
    expect(await stateOf(error.settled)).toBe("pending");
    remote.gate = () => {};
    remote.records.set("cacheme:other:1:1", remote.records.get("cacheme:counting:1:1")!);
    await pass(clock, 60_000);
    await error.settled;
    expect(remote.patterns).toContain("cacheme:counting:*:1");
    expect([...remote.records.keys()]).toEqual(["cacheme:other:1:1"]);
    expect(pending()).toBe(0);
    expect(await cacheme.get(new other.Counting(1))).toBe("other");
    expect(await cacheme.get(new Counting(1))).toBe("new");
  });

  it("make every older entry of the class a miss, and no newer one", async () => {
    const { cacheme, clock, remote, Counting } = await overflowing((clock) => new SimulatedRemote(clock));
    remote.gate = () => {};
    await pass(clock, 2_000);
    expect(await cacheme.peek(new Counting(1))).toBeUndefined();
    expect(await cacheme.get(new Counting(1))).toBe("new");
    expect((await cacheme.peek(new Counting(1)))?.value).toBe("new");
    expect(await cacheme.peek(new Counting(20_000))).toBeUndefined();
  });

  it("end when each old entry has expired, if the storage lists no keys", async () => {
    const { clock, remote, error, pending } = await overflowing((clock) => new SimulatedRemote(clock));
    remote.gate = () => {};
    await pass(clock, 9 * 60_000, 1_000);
    expect(await stateOf(error.settled)).toBe("pending");
    await pass(clock, 2 * 60_000, 1_000);
    await error.settled;
    expect([pending(), clock.pending]).toEqual([0, 0]);
  });
});

describe("a write that missed its deadline", () => {
  it("is not followed by another one of its key before its end, because it might undo that", async () => {
    const { cacheme, clock, remote, Counting } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(0));
    const slow = hold(remote, "write", "request");
    const first = reason(cacheme.set(new Counting(1), "first"));
    await settled();
    await pass(clock, 250);
    expect(await first).toMatchObject({ code: "CACHEME_WRITE_INCOMPLETE", cause: { isLate: true } });
    const removed = cacheme.invalidate(new Counting(1));
    await settled();
    expect(remote.count("remove")).toBe(0);
    slow.resolve(); // Only now the storage carries it out.
    await removed;
    expect(remote.records.has("cacheme:counting:1:1")).toBe(false);
  });

  it("is waited for no longer than 2 seconds", async () => {
    const { cacheme, clock, remote, Counting } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(0));
    remote.gate = (operation) => (operation === "write" ? never() : undefined);
    const first = reason(cacheme.set(new Counting(1), "first"));
    await settled();
    await pass(clock, 250);
    await first;
    const removed = cacheme.invalidate(new Counting(1));
    await settled();
    await pass(clock, 2_000);
    await removed;
  });
});

describe("close with removals that did not reach a storage", () => {
  it("tries once more", async () => {
    const { cacheme, remote, Counting } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    remote.gate = down;
    for (let call = 0; call < 6; call++) await reason(cacheme.invalidate(new Counting(1)));
    const error = (await reason(cacheme.invalidate(new Counting(1)))) as IncompleteError;
    remote.gate = () => {};
    await cacheme.close(); // Although the breaker is open.
    await error.settled;
    expect(remote.records.size).toBe(0);
  });

  it("gives up within its time, and reports the error to its waiting callers", async () => {
    const { cacheme, clock, remote, Counting } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    remote.gate = down;
    const error = (await reason(cacheme.invalidate(new Counting(1)))) as IncompleteError;
    remote.gate = never;
    const closed = cacheme.close();
    await settled();
    await pass(clock, 250);
    await closed;
    expect(await reason(error.settled)).toMatchObject({ code: "CACHEME_CLOSED" });
    expect(remote.closed).toBe(1);
    await pass(clock, 2_000);
    expect(clock.pending).toBe(0);
  });
});

describe("invalidateSoon", () => {
  it("removes the nodes", async () => {
    const { cacheme, remote, Counting } = await spaceWith(twoTiers);
    await cacheme.getAll([new Counting(1), new Counting(2), new Counting(3)]);
    cacheme.invalidateSoon(new Counting(1));
    expect(cacheme.peekLocal(new Counting(1))).toBeUndefined(); // At once.
    cacheme.invalidateSoon([new Counting(2), new Counting(3)]);
    await settled();
    expect(remote.records.size).toBe(0);
  });

  it("reports a storage that is down, repeats the removal, and ends no process", async () => {
    const { cacheme, clock, remote, Counting, pending } = await spaceWith(remoteOnly);
    await cacheme.get(new Counting(1));
    const errors: IncompleteError[] = [];
    const stop = cacheme.on("invalidateError", ({ error }) => errors.push(error as IncompleteError));
    remote.gate = down;
    cacheme.invalidateSoon(new Counting(1));
    await settled();
    expect(errors).toMatchObject([{ code: "CACHEME_INVALIDATION_INCOMPLETE", storages: ["remote"] }]);
    stop();
    cacheme.invalidateSoon(new Counting(1));
    await settled();
    remote.gate = () => {};
    await pass(clock, 5_000);
    await errors[0]?.settled;
    expect(pending()).toBe(0);
  });

  it("reports what is wrong with the program to a listener, else by a warning", async () => {
    const { cacheme, Counting } = await spaceWith(remoteOnly);
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    class Bad extends Node<number> {
      key(): string {
        throw new Error("no key");
      }
    }
    cacheme.invalidateSoon(new Bad());
    cacheme.invalidateSoon(undefined as never);
    await settled();
    expect(warn).toHaveBeenCalledTimes(2);
    expect(warn).toHaveBeenCalledWith("invalidateSoon failed: no key", "CachemeWarning");
    warn.mockRestore();
    const errors: Error[] = [];
    cacheme.on("invalidateError", ({ error }) => errors.push(error));
    await cacheme.close();
    cacheme.invalidateSoon(new Counting(1));
    await settled();
    expect(errors).toMatchObject([{ code: "CACHEME_CLOSED" }]);
  });
});

describe("a driver that never settles", () => {
  it("hangs neither get nor invalidate nor close", async () => {
    const clock = new VirtualClock();
    const cacheme = new Cacheme({ clock });
    const hanging: RemoteStorage = {
      kind: "remote",
      label: "hanging",
      connect: async () => {},
      close: never,
      ping: never,
      time: never,
      readMany: never,
      writeMany: never,
      removeMany: never,
    };
    await cacheme.registerStorage("remote", hanging);
    const { Counting } = countingNode({ caches: remoteOnly }, (id) => id);
    const read = cacheme.get(new Counting(1));
    await settled();
    await pass(clock, 5_000);
    expect(await read).toBe(1);
    const error = reason(cacheme.invalidate(new Counting(1)));
    await settled();
    await pass(clock, 5_000);
    expect(await error).toMatchObject({ storages: ["remote"] });
    const closed = cacheme.close();
    await pass(clock, 15_000);
    await closed;
    expect(clock.pending).toBe(0);
  });
});
