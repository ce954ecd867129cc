import { afterEach, beforeEach, expect, it } from "vitest";
import type { ServerProxy } from "../src/network/proxy.js";
import { describeWithServer } from "../src/vitest.js";
import { Conversation } from "./conversation.js";

describeWithServer("redis", "the proxy in front of a server", (redis) => {
  let proxy: ServerProxy;
  const conversations: Conversation[] = [];
  const converse = (): Conversation => {
    const conversation = new Conversation(proxy.port);
    conversations.push(conversation);
    return conversation;
  };
  beforeEach(async () => {
    proxy = await redis().proxy();
  });
  afterEach(async () => {
    for (const conversation of conversations.splice(0)) conversation.end();
    await proxy.close();
  });

  it("forwards bytes in both directions and has its own address", async () => {
    expect(await converse().ask("PING")).toBe("+PONG");
    expect(proxy.url).toBe(`redis://127.0.0.1:${proxy.port}`);
    expect(proxy.port).not.toBe(redis().port);
  });

  it("counts connections, bytes, chunks and round trips", async () => {
    const conversation = converse();
    await conversation.ask("PING");
    await conversation.ask("PING");
    expect(proxy.counts).toEqual({
      connections: 1,
      bytesUp: 12,
      chunksUp: 2,
      bytesDown: 14,
      chunksDown: 2,
      roundTrips: 2,
    });
    expect(proxy.open).toBe(1);
    proxy.resetCounts();
    expect(proxy.counts.roundTrips).toBe(0);
  });

  it("counts a batch of many chunks as one round trip", async () => {
    proxy.latency(5);
    const conversation = converse();
    conversation.say(Array.from({ length: 20_000 }, () => "PING").join("\r\n"));
    let answers = 0;
    while (answers < 20_000) answers += (await conversation.hear()).split("\r\n").length;
    expect(proxy.counts.chunksUp).toBeGreaterThan(1);
    expect(proxy.counts.roundTrips).toBe(1);
  });

  it("delays each byte by its latency in both directions, and keeps their order", async () => {
    const conversation = converse();
    await conversation.ask("PING");
    proxy.latency(20);
    const asked = performance.now();
    conversation.say("ECHO one");
    conversation.say("ECHO two");
    let heard = "";
    while (!heard.includes("two")) heard += await conversation.hear();
    expect(performance.now() - asked).toBeGreaterThanOrEqual(39);
    expect(heard.indexOf("one")).toBeLessThan(heard.indexOf("two"));
  });

  it("resets all connections and serves new ones", async () => {
    const one = converse();
    const other = converse();
    await Promise.all([one.ask("PING"), other.ask("PING")]);
    proxy.cut();
    expect(await Promise.all([one.hear(), other.hear()])).toEqual(["closed", "closed"]);
    expect(await converse().ask("PING")).toBe("+PONG");
  });

  it("drops bytes in a partition without closing connections, and serves only new ones after it", async () => {
    const old = converse();
    await old.ask("PING");
    proxy.partition();
    const swallowed = proxy.counts.bytesUp;
    old.say("SET partition old");
    const fresh = converse();
    fresh.say("PING");
    while (proxy.counts.bytesUp < swallowed + 25) await new Promise((resolve) => setImmediate(resolve));
    expect([old.socket.closed, fresh.socket.closed]).toEqual([false, false]);
    await proxy.heal();
    expect(await converse().ask("GET partition")).toBe("$-1");
    old.say("PING");
    expect([old.heard, fresh.heard]).toEqual(["", ""]);
  });

  it("refuses connections until it is healed", async () => {
    const old = converse();
    await old.ask("PING");
    await proxy.refuse();
    expect(await old.hear()).toBe("closed");
    expect(await converse().ask("PING")).toBe("closed");
    await proxy.heal();
    expect(await converse().ask("PING")).toBe("+PONG");
  });

  it("closes a connection when the server dies", async () => {
    const conversation = converse();
    await conversation.ask("PING");
    await redis().kill();
    expect(await conversation.hear()).toBe("closed");
    expect(await converse().ask("PING")).toBe("closed");
    await redis().restart();
    expect(await converse().ask("PING")).toBe("+PONG");
    expect(proxy.open).toBe(1);
  });
});
