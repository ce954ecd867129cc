import { describe, expect, it } from "vitest";
import type { BoundClasses } from "../../src/bus/bound-class.js";
import { BusLink } from "../../src/bus/bus-link.js";
import { readMessage } from "../../src/bus/message.js";
import { Events } from "../../src/events.js";
import { Tick } from "../../src/tiers/tick.js";
import { deferred, settled } from "../support/deferred.js";
import { ScriptedBus } from "../support/scripted-bus.js";
import { VirtualClock } from "../support/virtual-clock.js";

const noClasses: BoundClasses = {
  busPrefix: "shop",
  boundClass: () => undefined,
  boundEntry: () => undefined,
  boundClasses: () => [],
};

async function link() {
  const bus = new ScriptedBus();
  const made = new BusLink(new VirtualClock(), new Events(), new Tick());
  const news: unknown[] = [];
  made.tagNews = {
    invalidated: (...told) => news.push(told),
    missed: () => news.push("missed"),
    changed: (key) => news.push(key),
  };
  await made.register(bus, {}, noClasses);
  await settled();
  bus.sent.length = 0;
  return { link: made, bus, news };
}

const sent = (bus: ScriptedBus) => bus.sent.map((text) => readMessage(text));
const ignore = () => {};

describe("the news of tags", () => {
  it("carry the latest generation of each tag and storage", async () => {
    const { link: one, bus } = await link();
    const tell = (storage: string | undefined, id: string, at: number) =>
      new Promise<void>((resolve) =>
        one.tagInvalidated({ tag: "a", storage, generation: { id, at } }, resolve),
      );
    await Promise.all([tell("redis", "second", 2), tell("redis", "first", 1), tell(undefined, "own", 1)]);
    expect(sent(bus)).toMatchObject([
      {
        tags: [
          { tag: "a", storage: "redis", generation: { id: "second", at: 2 } },
          { tag: "a", storage: undefined, generation: { id: "own", at: 1 } },
        ],
      },
    ]);
  });

  it("reach the table of tags in another process", async () => {
    const { bus: from, link: one } = await link();
    const { bus: to, news } = await link();
    one.tagInvalidated({ tag: "a", storage: "redis", generation: { id: "x", at: 7 } }, ignore);
    await settled();
    for (const text of from.sent) to.receiver.message(text);
    expect(news).toEqual(["missed", ["a", "redis", { id: "x", at: 7 }]]);
  });

  it("are missed after a new subscription and after a report that all may have changed", async () => {
    const { bus, news } = await link();
    bus.receiver.lost(new Error("cut"));
    bus.receiver.subscribed();
    bus.receiver.changed("all");
    expect(news).toEqual(["missed", "missed", "missed"]);
  });

  it("tell which record of a generation a server reports as changed", async () => {
    const { bus, news } = await link();
    bus.receiver.changed(["shop:~tag:a", "other:~tag:a"]);
    expect(news).toEqual(["missed", "shop:~tag:a"]);
  });

  it("become a gap in a storm, so that receivers drop everything", async () => {
    const { link: one, bus } = await link();
    const { bus: to, news } = await link();
    one.tagInvalidated({ tag: "first", storage: "redis", generation: { id: "x", at: 7 } }, ignore);
    await settled();
    const taken = deferred();
    bus.gate = () => taken.promise;
    for (let tag = 0; tag < 100_000; tag++) {
      one.tagInvalidated({ tag: `${tag}`, storage: "redis", generation: { id: "x", at: 7 } }, ignore);
    }
    taken.resolve();
    await settled();
    for (const text of bus.sent) to.receiver.message(text);
    expect(news.filter((told) => told === "missed").length).toBeGreaterThan(1);
    expect(bus.sent.join("").length).toBeLessThan(1_000_000);
  });
});
