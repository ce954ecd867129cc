import { describe, expect, it, onTestFinished } from "vitest";
import {
  type Bus,
  Cacheme,
  ConfigurationError,
  memory,
  memoryBus,
  type NodeMeta,
  type RegisterBusOptions,
} from "../../src/index.js";
import { deferred, settled } from "../support/deferred.js";
import { reason } from "../support/reason.js";
import { ScriptedBus } from "../support/scripted-bus.js";
import { countingNode, localOnly } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

function closing(cacheme: Cacheme): Cacheme {
  onTestFinished(() => cacheme.close());
  return cacheme;
}

describe("registerBus()", () => {
  it.each<[string, unknown, unknown, string, string]>([
    ["no bus", undefined, {}, "CACHEME_INVALID_OPTION", "registerBus(…) expected a bus, got undefined"],
    ["an address", "redis://a", {}, "CACHEME_INVALID_OPTION", "redisBus()"],
    ["an unknown option", memoryBus(), { beat: 1 }, "CACHEME_INVALID_OPTION", 'has no option "beat"'],
    ["options that are none", memoryBus(), 7, "CACHEME_INVALID_OPTION", "expected an object as its options"],
    ["another word", memoryBus(), { whenBusDown: "wait" }, "CACHEME_INVALID_OPTION", '"bounded" or "bypass"'],
    [
      "a wrong duration",
      memoryBus(),
      { heartbeat: "5 s" },
      "CACHEME_INVALID_DURATION",
      "heartbeat of registerBus()",
    ],
    [
      "a wrong duration",
      memoryBus(),
      { ttlWhenDown: 0 },
      "CACHEME_INVALID_DURATION",
      "ttlWhenDown of registerBus()",
    ],
  ])("refuses %s", async (_, bus, options, code, message) => {
    const cacheme = closing(new Cacheme());
    const refused = await reason(cacheme.registerBus(bus as Bus, options as RegisterBusOptions));
    expect(refused).toBeInstanceOf(ConfigurationError);
    expect(refused).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(cacheme.busStatus()).toBeUndefined();
  });

  it("refuses another bus, and takes the same one again", async () => {
    const cacheme = closing(new Cacheme());
    const bus = memoryBus();
    await cacheme.registerBus(bus);
    await cacheme.registerBus(bus);
    await cacheme.registerBus(memoryBus()); // A module that is evaluated twice makes it twice.
    expect(await reason(cacheme.registerBus(new ScriptedBus()))).toMatchObject({
      code: "CACHEME_DUPLICATE_BUS",
      message: expect.stringContaining("scripted bus, but the bus memory bus is registered already"),
    });
  });

  it("fails if the bus cannot be connected, and may be called again", async () => {
    const cacheme = closing(new Cacheme());
    const bus = new ScriptedBus();
    bus.connects = () => {
      throw new Error("no route");
    };
    const [first, second] = [cacheme.registerBus(bus), cacheme.registerBus(bus)].map(reason);
    const failed = {
      code: "CACHEME_CONNECT_FAILED",
      message: "The bus scripted bus could not be connected: no route.",
    };
    expect(await first).toMatchObject(failed);
    expect(await second).toMatchObject(failed);
    bus.connects = () => {};
    await cacheme.registerBus(bus);
    expect(cacheme.busStatus()).toMatchObject({ state: "subscribed" });
  });

  it("keeps the news from before the connection, and no caller waits for them", async () => {
    const cacheme = closing(new Cacheme());
    await cacheme.registerStorage("local", memory());
    const bus = new ScriptedBus();
    const connection = deferred();
    bus.connects = () => connection.promise;
    const registered = cacheme.registerBus(bus);
    const { Counting } = countingNode<number>({ caches: localOnly }, () => 1);
    await cacheme.invalidate(new Counting(1));
    connection.resolve();
    await registered;
    await settled();
    expect(bus.sent.join()).toContain('["counting:1",1,"1"]');
  });

  it("is refused after close, and closes a bus that is still being connected", async () => {
    const cacheme = new Cacheme();
    const bus = new ScriptedBus();
    const connection = deferred();
    bus.connects = () => connection.promise;
    const registered = reason(cacheme.registerBus(bus));
    const closed = cacheme.close();
    connection.resolve();
    await closed;
    expect(await registered).toMatchObject({ code: "CACHEME_CLOSED" });
    expect(bus.isClosed).toBe(true);
    expect(await reason(cacheme.registerBus(bus))).toMatchObject({ code: "CACHEME_CLOSED" });
  });

  it("decides the prefix", async () => {
    const cacheme = closing(new Cacheme());
    await cacheme.registerBus(memoryBus());
    cacheme.setPrefix("cacheme");
    expect(() => cacheme.setPrefix("shop")).toThrow(
      expect.objectContaining({
        code: "CACHEME_PREFIX_IN_USE",
        message: expect.stringContaining("registerBus"),
      }),
    );
  });

  it.each<[NodeMeta, string]>([
    [{ bus: true, name: undefined }, "has `bus: true` and no name"],
    [{ bus: "no" as never }, 'has `bus: "no"`'],
    [{ whenBusDown: "wait" as never }, 'has `whenBusDown: "wait"`'],
  ])("refuses a class whose meta is %j", async (meta, message) => {
    const { Counting } = countingNode<number>(meta, () => 1);
    expect(await reason(closing(new Cacheme()).get(new Counting(1)))).toMatchObject({
      code: "CACHEME_INVALID_META",
      message: expect.stringContaining(message),
    });
  });
});

describe("the news of a process", () => {
  async function sender(prepare: (bus: ScriptedBus) => void = () => {}) {
    const clock = new VirtualClock();
    const cacheme = closing(new Cacheme({ clock }));
    await cacheme.registerStorage("local", memory());
    const bus = new ScriptedBus();
    prepare(bus);
    await cacheme.registerBus(bus);
    await settled();
    bus.sent.length = 0;
    const { Counting } = countingNode<number>({ caches: localOnly }, () => 1);
    const invalidate = (from: number, to: number) =>
      cacheme.invalidate(Array.from({ length: to - from }, (_, index) => new Counting(from + index)));
    return { clock, cacheme, bus, invalidate, Counting };
  }

  it("of one tick travel in one message", async () => {
    const { bus, invalidate } = await sender();
    await Promise.all([invalidate(1, 3), invalidate(2, 4), invalidate(9, 10)]);
    expect(bus.sent).toEqual([expect.stringContaining('"news",1,[["counting:1",1,"1","2","3","9"]],[]]')]);
  });

  it("wait while older ones are sent, and then travel together", async () => {
    const { bus, invalidate } = await sender();
    const taken = deferred();
    bus.gate = () => taken.promise;
    const first = invalidate(1, 2);
    await settled();
    bus.gate = () => {};
    const others = [invalidate(2, 3), settled().then(() => invalidate(3, 4))];
    await settled();
    expect(bus.sent).toEqual([]);
    taken.resolve();
    await Promise.all([first, ...others]);
    expect(bus.sent).toMatchObject([
      expect.stringContaining('["counting:1",1,"1"]'),
      expect.stringContaining('["counting:1",1,"2","3"]'),
    ]);
  });

  it("are sent when an invalidation resolves", async () => {
    const { bus, invalidate } = await sender();
    await invalidate(1, 2);
    expect(bus.sent).toHaveLength(1);
  });

  it("keep no caller waiting for a bus that hangs", async () => {
    const { clock, cacheme, bus, invalidate } = await sender();
    const errors: string[] = [];
    cacheme.on("busError", ({ error }) => errors.push(error.message));
    const taken = deferred();
    bus.gate = () => taken.promise;
    let isDone = false;
    const invalidated = invalidate(1, 2).then(() => {
      isDone = true;
    });
    await settled();
    clock.advance(1_999);
    await settled();
    expect(isDone).toBe(false);
    clock.advance(1);
    await invalidated;
    expect(errors).toEqual(["it has not taken 1 messages within 2000 ms"]);
    taken.resolve();
  });

  it("count although the bus has not taken them", async () => {
    const { bus, invalidate } = await sender();
    bus.gate = () => {
      throw new Error("down");
    };
    await invalidate(1, 2);
    bus.gate = () => {};
    await invalidate(2, 3);
    expect(bus.sent).toEqual([expect.stringContaining('"news",2,')]);
  });

  it("leave with the last calls before close, followed by the last message of the process", async () => {
    const { cacheme, bus, invalidate } = await sender();
    const invalidated = invalidate(1, 2);
    await cacheme.close();
    await invalidated;
    expect(bus.sent).toEqual([
      expect.stringContaining('["counting:1",1,"1"]'),
      expect.stringContaining('"leave",1'),
    ]);
    expect(bus.isClosed).toBe(true);
  });

  it("keep close from waiting for a bus that hangs", async () => {
    const { clock, cacheme, bus, invalidate } = await sender();
    const taken = deferred();
    bus.gate = () => taken.promise;
    const invalidated = invalidate(1, 2);
    await settled();
    const closed = cacheme.close();
    await settled();
    clock.advance(2_000);
    await settled();
    clock.advance(2_000);
    await Promise.all([invalidated, closed]);
    taken.resolve();
    expect(bus.isClosed).toBe(true);
  });

  it("are cut to the bus's limit", async () => {
    const { bus, invalidate } = await sender((scripted) => {
      scripted.longestMessage = 1_000;
    });
    await invalidate(0, 500);
    expect(bus.sent.length).toBeGreaterThan(1);
    for (const message of bus.sent) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_000);
  });

  it("become the news of a whole class in a storm", async () => {
    const { bus, invalidate } = await sender();
    const taken = deferred();
    bus.gate = () => taken.promise;
    const calls = [invalidate(0, 1)];
    await settled();
    for (let from = 0; from < 100_000; from += 5_000) {
      calls.push(invalidate(from, from + 5_000));
      await settled();
    }
    taken.resolve();
    await Promise.all(calls);
    expect(bus.sent).toEqual([
      expect.stringContaining('["counting:1",1,"0"]'),
      expect.stringContaining('[["counting:1",0]],[]]'),
    ]);
  });
});
