import { describe, expect, it } from "vitest";
import type { Bus, BusReceiver } from "../../src/index.js";
import { memoryBus } from "../../src/index.js";
import { settled } from "../support/deferred.js";

/** Connects a receiver that keeps its reports. */
async function member(bus: Bus) {
  const reports: string[] = [];
  const receiver: BusReceiver = {
    message: (text) => reports.push(text),
    subscribed: () => reports.push("subscribed"),
    lost: ({ message }) => reports.push(message),
    changed: () => {},
  };
  const connection = await bus.connect(receiver, { prefix: "cacheme" });
  return { connection, reports };
}

describe("memoryBus()", () => {
  it("brings each message to every receiver, the sender included, in order", async () => {
    const bus = memoryBus();
    const [one, other] = [await member(bus), await member(bus)];
    await one.connection.publish(["a", "b"]);
    await other.connection.publish(["c"]);
    await settled();
    expect(one.reports).toEqual(["subscribed", "a", "b", "c"]);
    expect(other.reports).toEqual(["subscribed", "a", "b", "c"]);
  });

  it("loses what is published while it is cut, and subscribes again", async () => {
    const bus = memoryBus();
    const { connection, reports } = await member(bus);
    bus.cut(new Error("cut"));
    await expect(connection.publish(["a"])).rejects.toThrow("cut");
    await expect(member(bus)).rejects.toThrow("cut");
    bus.heal();
    await connection.publish(["b"]);
    await settled();
    expect(reports).toEqual(["subscribed", "cut", "subscribed", "b"]);
  });

  it("reports nothing after close", async () => {
    const bus = memoryBus();
    const [one, other] = [await member(bus), await member(bus)];
    const published = other.connection.publish(["a"]);
    await one.connection.close();
    await published;
    await settled();
    bus.cut();
    expect(one.reports).toEqual(["subscribed"]);
  });
});
