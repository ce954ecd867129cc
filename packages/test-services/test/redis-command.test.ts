import { expect, it } from "vitest";
import { redisCommand, untilRedis } from "../src/run/redis-command.js";
import { describeWithServer } from "../src/vitest.js";

describeWithServer("redis", "a command to Redis", (redis) => {
  it("returns the text of the answer", async () => {
    expect(await redisCommand(redis().port, "SET key kept")).toBe("OK");
    expect(await redisCommand(redis().port, "GET key")).toBe("kept");
  });

  it("fails with the answer if that is an error", async () => {
    await expect(redisCommand(redis().port, "GET")).rejects.toThrow("answered GET with -ERR");
  });

  it("is repeated while connections end without an answer", async () => {
    const proxy = await redis().proxy();
    await proxy.refuse();
    await expect(redisCommand(proxy.port, "PING")).rejects.toThrow("answered PING with nothing");
    const answered = untilRedis([proxy.port], "PING", /PONG/);
    await proxy.heal();
    await answered;
  });
});
