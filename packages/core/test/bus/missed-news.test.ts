import { describe, expect, it, onTestFinished } from "vitest";
import { MessageWriter, readMessage } from "../../src/bus/message.js";
import { Cacheme, memory, type RegisterBusOptions } from "../../src/index.js";
import { settled } from "../support/deferred.js";
import { ScriptedBus } from "../support/scripted-bus.js";
import { countingNode, localOnly } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** A process that has a local entry, on a bus whose other side is the test. */
async function listener(options?: RegisterBusOptions) {
  const clock = new VirtualClock();
  const bus = new ScriptedBus();
  const cacheme = new Cacheme({ clock });
  onTestFinished(() => cacheme.close());
  await cacheme.registerStorage("local", memory());
  await cacheme.registerBus(bus, options);
  const drops: string[] = [];
  cacheme.on("busDrop", ({ reason }) => drops.push(reason));
  const { Counting } = countingNode<string>({ caches: localOnly }, () => "value");
  const holds = async () => {
    const isThere = cacheme.peekLocal(new Counting(1)) !== undefined;
    await cacheme.get(new Counting(1));
    return isThere;
  };
  await holds();
  const beats = async (times: number, ...writers: readonly MessageWriter[]) => {
    for (let count = 0; count < times; count++) {
      clock.advance(5_000);
      await settled();
      for (const writer of writers) bus.receiver.message(writer.plain("beat"));
    }
  };
  return { clock, bus, cacheme, drops, holds, beats };
}

const writer = (prefix = "cacheme", origin = "another") => new MessageWriter(prefix, origin);
const newsOf = (sender: MessageWriter, key = "7") =>
  sender.news([{ busId: "counting:1", keys: [key] }], [], 65_536)[0] ?? "";

describe("news that may have been missed", () => {
  it("make a process drop everything: a gap in the numbers", async () => {
    const { bus, holds, drops } = await listener();
    const sender = writer();
    bus.receiver.message(newsOf(sender));
    newsOf(sender); // Lost.
    expect(await holds()).toBe(true);
    bus.receiver.message(newsOf(sender));
    expect(await holds()).toBe(false);
    bus.receiver.message(newsOf(sender));
    expect(await holds()).toBe(true);
    expect(drops).toEqual(["gap"]);
  });

  it("make a process drop everything: a heartbeat with a higher number", async () => {
    const { bus, holds, drops } = await listener();
    const sender = writer();
    bus.receiver.message(newsOf(sender));
    newsOf(sender); // Lost.
    bus.receiver.message(sender.plain("beat"));
    expect(await holds()).toBe(false);
    expect(drops).toEqual(["gap"]);
  });

  it("do not count repeated and late messages", async () => {
    const { bus, holds, drops } = await listener();
    const sender = writer();
    const [first, second] = [newsOf(sender), newsOf(sender)];
    for (const text of [first, second, first, second]) bus.receiver.message(text);
    expect(await holds()).toBe(true);
    expect(drops).toEqual([]);
  });

  it("make a process drop everything: a process that is silent", async () => {
    const { holds, drops, beats, bus, cacheme } = await listener();
    const sender = writer();
    bus.receiver.message(newsOf(sender));
    await beats(3, sender);
    await beats(3);
    expect(await holds()).toBe(true);
    await beats(1);
    expect(await holds()).toBe(false);
    expect(drops).toEqual(["heartbeat"]);
    expect(cacheme.busStatus()?.processes).toBe(0);
    await beats(5);
    expect(await holds()).toBe(true);
    bus.receiver.message(newsOf(sender)); // It was only cut off from us.
    expect(drops).toEqual(["heartbeat", "gap"]);
  });

  it("drop nothing for a process that leaves, nor for one that has just begun", async () => {
    const { bus, drops, beats } = await listener();
    const sender = writer();
    bus.receiver.message(newsOf(sender));
    bus.receiver.message(sender.plain("leave"));
    await beats(5);
    bus.receiver.message(writer("cacheme", "a third").plain("beat"));
    bus.receiver.message(newsOf(writer("cacheme", "a fourth")));
    expect(drops).toEqual([]);
  });

  it("drop everything once more after the time in which older processes show up", async () => {
    const { bus, drops, beats, holds } = await listener();
    const sender = writer();
    newsOf(sender); // Sent before the subscription, or lost after it.
    bus.receiver.message(newsOf(sender));
    expect(await holds()).toBe(true);
    await beats(1, sender);
    expect(await holds()).toBe(false);
    await beats(1, sender);
    expect(drops).toEqual(["settled"]);
  });

  it("drop everything for a process that was not heard in that time", async () => {
    const { bus, drops, beats } = await listener();
    await beats(1);
    const sender = writer();
    newsOf(sender);
    bus.receiver.message(newsOf(sender));
    expect(drops).toEqual(["gap"]);
  });

  it("show at the first message heard, because the other processes have answered a hello", async () => {
    const { bus, clock, drops } = await listener();
    expect(readMessage(bus.sent[0] ?? "")).toMatchObject({ kind: "hello", sequence: 0 });
    const older = writer();
    newsOf(older); // Sent before the subscription.
    bus.receiver.message(older.plain("beat"));
    clock.advance(500);
    await settled();
    expect(drops).toEqual(["settled"]);
    const younger = writer("cacheme", "younger");
    newsOf(younger); // Lost, and its hello, too.
    bus.receiver.message(newsOf(younger));
    expect(drops).toEqual(["settled", "gap"]);
    newsOf(older); // Lost.
    bus.receiver.message(newsOf(older));
    expect(drops).toEqual(["settled", "gap", "gap"]);
  });

  it("make a process tell the number of its last news: a hello", async () => {
    const { bus, cacheme } = await listener();
    const { Counting } = countingNode<string>({ caches: localOnly }, () => "value");
    await cacheme.invalidate(new Counting(2));
    bus.sent.length = 0;
    for (const name of ["one", "another", "third"])
      bus.receiver.message(writer("cacheme", name).plain("hello"));
    await settled();
    expect(bus.sent.map((text) => readMessage(text))).toMatchObject([{ kind: "beat", sequence: 1 }]);
  });

  it("make a process drop everything: a message of a newer release", async () => {
    const { bus, holds, drops } = await listener();
    bus.receiver.message(newsOf(writer()).replace('["cacheme",1', '["cacheme",2'));
    expect(await holds()).toBe(false);
    expect(drops).toEqual(["newer"]);
  });

  it("are not those of other programs or prefixes", async () => {
    const { bus, holds, cacheme } = await listener();
    const sender = writer("shop");
    newsOf(sender);
    bus.receiver.message(newsOf(sender, "1"));
    bus.receiver.message("hello");
    expect(await holds()).toBe(true);
    expect(cacheme.busStatus()).toMatchObject({ unreadable: 1, received: 0 });
  });

  it("show that the bus is deaf: nothing of the process itself comes back", async () => {
    const { bus, beats, cacheme, drops, holds } = await listener({ ttlWhenDown: "1h" });
    await beats(2);
    bus.isDeaf = true;
    await beats(3);
    expect(cacheme.busStatus()?.state).toBe("subscribed");
    await beats(1);
    expect(cacheme.busStatus()).toMatchObject({ state: "lost" });
    expect(bus.restarts).toEqual([
      "no message of this process has come back although the subscription was in force",
    ]);
    expect(await holds()).toBe(true);
    bus.isDeaf = false;
    bus.receiver.subscribed();
    expect(await holds()).toBe(false);
    expect(drops).toEqual(["subscribed"]);
  });

  it("are read first after the process was suspended", async () => {
    const { clock, bus, beats, drops, cacheme } = await listener();
    const sender = writer();
    bus.receiver.message(newsOf(sender));
    await beats(2, sender);
    clock.suspend(60_000);
    await settled();
    expect(cacheme.busStatus()?.state).toBe("subscribed");
    bus.receiver.message(newsOf(sender));
    await beats(2, sender);
    expect(drops).toEqual([]);
    expect(bus.restarts).toEqual([]);
  });
});

describe("changes that a server reports", () => {
  it("drop the entry of a storage key", async () => {
    const { bus, holds } = await listener();
    bus.receiver.changed([
      "cacheme:counting:2:1",
      "cacheme:other:1:1",
      "shop:counting:1:1",
      "cacheme:counting:1:2",
      "x",
    ]);
    expect(await holds()).toBe(true);
    bus.receiver.changed(["cacheme:counting:1:1"]);
    expect(await holds()).toBe(false);
  });

  it("drop the class of a key that is too long to be in the storage as it is", async () => {
    const { bus, holds, drops } = await listener();
    bus.receiver.changed([`cacheme:counting:~sha256~${"A".repeat(43)}:1`]);
    expect(await holds()).toBe(false);
    expect(drops).toEqual([]);
  });

  it("drop everything if any key may have changed", async () => {
    const { bus, holds, drops } = await listener();
    bus.receiver.changed("all");
    expect(await holds()).toBe(false);
    expect(drops).toEqual(["server"]);
  });
});

describe("a local storage that fails", () => {
  it("keeps no other class from dropping its entries, and is reported", async () => {
    const { bus, cacheme, holds } = await listener();
    const broken = memory();
    let fails = false;
    const failing = (): never => {
      throw new Error("broken");
    };
    const remove = broken.remove.bind(broken);
    broken.remove = (space, key) => (fails ? failing() : remove(space, key));
    const clear = broken.clear.bind(broken);
    broken.clear = (space) => (fails ? failing() : clear(space));
    await cacheme.registerStorage("broken", broken);
    const { Counting: Broken } = countingNode<number>(
      { name: "broken", caches: [{ storage: "broken" }] },
      () => 1,
    );
    await cacheme.get(new Broken(1));
    const errors: string[] = [];
    cacheme.on("busError", ({ operation, error }) => errors.push(`${operation}: ${error.message}`));
    fails = true;
    const sender = writer();
    const news = sender.news(
      [
        { busId: "broken:1", keys: ["1"] },
        { busId: "counting:1", keys: ["1"] },
      ],
      [],
      65_536,
    );
    for (const text of news) bus.receiver.message(text);
    expect(await holds()).toBe(false);
    bus.receiver.changed("all");
    expect(await holds()).toBe(false);
    expect(errors).toEqual(["receive: broken", "receive: broken"]);
    fails = false;
  });
});
