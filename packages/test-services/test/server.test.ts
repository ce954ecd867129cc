import { existsSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { type Server, server } from "../src/run/service.js";
import { describeWithServer } from "../src/vitest.js";
import { ask, Conversation } from "./conversation.js";
import { describeHeld } from "./held.js";

describeWithServer("redis", "a test server", () => {
  const started: Server[] = [];
  const start = async (): Promise<Server> => {
    const redis = await server("redis");
    started.push(redis);
    return redis;
  };
  afterEach(() => Promise.all(started.splice(0).map((redis) => redis.stop())));

  it("answers as soon as server() resolves", async () => {
    const redis = await start();
    expect(await ask(redis.port, "PING")).toBe("+PONG");
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
  });

  it("listens on a port that the kernel never gives to an outgoing connection", async () => {
    const { port } = await start();
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
  });

  it("has its own port and its own folder", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    await ask(one.port, "SET key one");
    expect(one.port).not.toBe(other.port);
    expect(await ask(other.port, "GET key")).toBe("$-1");
  });

  it("has ended when kill resolves, and is back on the same port with its data after restart", async () => {
    const redis = await start();
    await ask(redis.port, "SET key kept");
    await redis.kill();
    expect(await ask(redis.port, "PING")).toBe("closed");
    await redis.restart();
    expect(await ask(redis.port, "GET key")).toBe("$4\r\nkept");
  });

  it("restarts a server that runs", async () => {
    const redis = await start();
    const before = await ask(redis.port, "CLIENT ID");
    await ask(redis.port, "PING");
    await redis.restart();
    expect(await ask(redis.port, "PING")).toBe("+PONG");
    expect(before).toMatch(/^:\d+$/);
  });

  it("keeps connections open and answers nothing while it is paused, and answers everything afterwards", async () => {
    const [redis, running] = await Promise.all([start(), start()]);
    const conversation = new Conversation(redis.port);
    expect(await conversation.ask("PING")).toBe("+PONG");
    await redis.pause();
    conversation.say("ECHO late");
    expect(await ask(running.port, "PING")).toBe("+PONG");
    expect(conversation.heard).toBe("");
    await redis.resume();
    expect(await conversation.hear()).toBe("$4\r\nlate");
    conversation.end();
  });

  it("can be stopped while it is paused, and stopped twice", async () => {
    const redis = await start();
    await redis.pause();
    await redis.stop();
    await redis.stop();
    expect(await ask(redis.port, "PING")).toBe("closed");
  });
});

describeHeld("redis", "a test server that another test process started", "redis", (held) => {
  it("does not outlive that process when it is killed", async () => {
    const { ports, kill } = held();
    const [port = 0] = ports;
    const folder = (await ask(port, "CONFIG GET dir")).split("\r\n").at(-1) ?? "";
    expect(existsSync(folder)).toBe(true);
    await kill(ports);
    expect(existsSync(folder)).toBe(false);
    expect(await ask(port, "PING")).toBe("closed");
  });
});
