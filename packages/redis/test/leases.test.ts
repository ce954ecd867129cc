import { randomUUID } from "node:crypto";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme";
import { generationFrom } from "cacheme/driver";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { redis } from "../src/index.js";
import { headerLength } from "../src/record.js";

const bytes = Buffer.from("value");
const minute = 60_000;

describeWithServer("redis", "leases and generations on the server", (server) => {
  let observer: Redis;
  let storage: RemoteStorage;
  let key: string;
  beforeAll(async () => {
    observer = new Redis(server().url);
    storage = redis(server().url);
    await storage.connect();
  });
  afterAll(async () => {
    await storage.close();
    observer.disconnect();
  });
  beforeEach(() => {
    key = randomUUID();
  });
  const acquired = async (duration = minute, steal = false): Promise<string> => {
    const [answer] = await storage.leases!.acquire([{ key, duration, steal }]);
    if (answer?.outcome !== "granted") throw new Error(`expected a granted lease, got ${answer?.outcome}`);
    return answer.token;
  };
  const read = async () => String((await storage.readMany([key]))[0]);

  it("removes a key without bytes when its lease ends", async () => {
    await acquired(minute);
    expect(await observer.pttl(key)).toBeLessThanOrEqual(minute);
    expect(await observer.pttl(key)).toBeGreaterThan(minute - 10_000);
    await acquired(20, true);
    await until(async () => (await observer.exists(key)) === 0);
  });

  it("keeps a lease that outlasts stale bytes, and expires the bytes in their time", async () => {
    await storage.writeMany([{ key, bytes, ttl: 600, freshFor: 0 }]);
    const token = await acquired(minute);
    expect(await read()).toBe("value");
    expect(await observer.pttl(key)).toBeGreaterThan(minute - 10_000);
    await until(async () => (await read()) === "undefined");
    expect(await storage.leases!.acquire([{ key, duration: minute }])).toEqual([{ outcome: "held" }]);
    expect(await storage.leases!.fill([{ key, bytes, ttl: minute, token }])).toEqual([true]);
    expect(await read()).toBe("value");
  });

  it("restores the end of stale bytes when a longer lease is released", async () => {
    await storage.writeMany([{ key, bytes, ttl: 10_000, freshFor: 0 }]);
    const token = await acquired(minute);
    await storage.leases!.release([{ key, token }]);
    expect(await observer.pttl(key)).toBeLessThanOrEqual(10_001);
    expect(await observer.pttl(key)).toBeGreaterThan(1000);
    expect(await read()).toBe("value");
  });

  it("restores the end of stale bytes when a shorter lease replaces a longer one", async () => {
    await storage.writeMany([{ key, bytes, ttl: 10_000, freshFor: 0 }]);
    await acquired(minute);
    await acquired(50, true);
    expect(await observer.pttl(key)).toBeLessThanOrEqual(10_001);
    expect(await read()).toBe("value");
  });

  it("never shortens the ttl of bytes", async () => {
    await storage.writeMany([{ key, bytes, ttl: minute, freshFor: 0 }]);
    await acquired(20);
    expect(await observer.pttl(key)).toBeGreaterThan(minute - 10_000);
    await storage.writeMany([{ key, bytes, ttl: undefined, freshFor: 0 }]);
    await acquired(20);
    expect(await observer.pttl(key)).toBe(-1);
  });

  it("answers for each released lease whether its token was still stored", async () => {
    const token = await acquired();
    const [lost, stale] = [`${key}:lost`, `${key}:stale`];
    await storage.writeMany([{ key: stale, bytes, ttl: minute, freshFor: 0 }]);
    const answers = await storage.leases!.acquire([
      { key: lost, duration: minute },
      { key: stale, duration: 1 },
    ]);
    const [second, ended] = answers.map((answer) => (answer.outcome === "granted" ? answer.token : ""));
    await storage.removeMany([lost]);
    await until(async () => (await storage.time()) > 1 + Number(Reflect.get(answers[1] ?? {}, "at")));
    const held = [
      { key, token },
      { key: lost, token: second! },
      { key: stale, token: ended! },
    ];
    expect(await storage.leases!.release(held)).toEqual([true, false, true]);
    expect(await storage.leases!.release(held)).toEqual([false, false, false]);
    expect(await storage.leases!.extend!(held.map((lease) => ({ ...lease, duration: minute })))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("extends a lease beyond the end of stale bytes, which expire in their time", async () => {
    await storage.writeMany([{ key, bytes, ttl: 600, freshFor: 0 }]);
    const token = await acquired(100);
    expect(await storage.leases!.extend!([{ key, token, duration: minute }])).toEqual([true]);
    expect(await observer.pttl(key)).toBeGreaterThan(minute - 10_000);
    expect(await read()).toBe("value");
    await until(async () => (await read()) === "undefined");
    expect(await storage.leases!.acquire([{ key, duration: minute }])).toEqual([{ outcome: "held" }]);
    expect(await storage.leases!.extend!([{ key, token, duration: 2 * minute }])).toEqual([true]);
    expect(await storage.leases!.fill([{ key, bytes, ttl: minute, token }])).toEqual([true]);
  });

  it("restores the end of stale bytes when a lease is extended to an earlier end", async () => {
    await storage.writeMany([{ key, bytes, ttl: 10_000, freshFor: 0 }]);
    const token = await acquired(minute);
    expect(await storage.leases!.extend!([{ key, token, duration: 50 }])).toEqual([true]);
    expect(await observer.pttl(key)).toBeLessThanOrEqual(10_001);
    expect(await read()).toBe("value");
  });

  it("grants a lease beside the fresh bytes that the caller has seen, and no other", async () => {
    await storage.writeMany([{ key, bytes, ttl: minute }]);
    const seen = (await storage.readMany([key]))[0];
    const other = Buffer.from("other");
    const request = { key, duration: minute };
    expect(await storage.leases!.acquire([{ ...request, seen: other }])).toEqual([
      { outcome: "fresh", bytes },
    ]);
    const [granted] = await storage.leases!.acquire([{ ...request, seen }]);
    expect(granted?.outcome).toBe("granted");
    expect(await read()).toBe("value");
    expect(await storage.leases!.acquire([{ ...request, seen }])).toEqual([{ outcome: "held" }]);
    expect(await storage.leases!.acquire([request])).toEqual([{ outcome: "fresh", bytes }]);
    await storage.writeMany([{ key, bytes: Buffer.alloc(0), ttl: minute }]);
    expect(await storage.leases!.acquire([request])).toMatchObject([{ outcome: "fresh" }]);
    const [empty] = await storage.leases!.acquire([{ ...request, seen: new Uint8Array() }]);
    expect(empty?.outcome).toBe("granted");
  });

  it("makes bytes without a ttl stale", async () => {
    await storage.writeMany([{ key, bytes, ttl: undefined, freshFor: 300 }]);
    const [first] = await storage.leases!.acquire([{ key, duration: minute }]);
    expect(first).toMatchObject({ outcome: "fresh" });
    let token = "";
    await until(async () => {
      token = await acquired();
      return true;
    });
    expect(await observer.pttl(key)).toBe(-1);
    expect(await storage.leases!.fill([{ key, bytes, ttl: undefined, freshFor: minute, token }])).toEqual([
      true,
    ]);
    expect(await storage.leases!.acquire([{ key, duration: minute }])).toMatchObject([{ outcome: "fresh" }]);
    expect(await read()).toBe("value");
  });

  it("writes over data of other programs under the key, and refuses fills there", async () => {
    await observer.rpush(key, "x");
    const token = await acquired();
    expect(await read()).toBe("undefined");
    await observer.set(key, "text of another program, longer than the header of a record");
    expect(await read()).toBe("undefined");
    expect(await storage.leases!.fill([{ key, bytes, ttl: minute, token }])).toEqual([false]);
    await storage.leases!.release([{ key, token }]);
    expect(await observer.get(key)).toContain("another program");
    const [generation] = await storage.generations!.ensure([key], minute);
    expect(generationFrom((await storage.readMany([key]))[0])).toEqual(generation);
  });

  it("treats a record of another layout as a miss", async () => {
    await storage.writeMany([{ key, bytes, ttl: minute }]);
    const stored = (await observer.getBuffer(key))!;
    expect(stored.length).toBe(headerLength + bytes.length);
    stored[1] = 0x21;
    await observer.set(key, stored);
    expect(await read()).toBe("undefined");
    await acquired();
  });

  it("sends the scripts again after the server forgot them, for a batch of each kind", async () => {
    const token = await acquired();
    await observer.script("FLUSH");
    expect(await storage.leases!.fill([{ key, bytes, ttl: minute, token }])).toEqual([true]);
    await observer.script("FLUSH");
    const [made] = await storage.generations!.bump([`${key}:tag`], minute);
    await observer.script("FLUSH");
    expect(await storage.generations!.ensure([`${key}:tag`, `${key}:tag`], minute)).toEqual([made, made]);
  });

  it("keeps the order of writes and removals after the server forgot the scripts", async () => {
    const staleSoon = { key, bytes: Buffer.from("old"), ttl: undefined, freshFor: 10 };
    await storage.writeMany([staleSoon]);
    await observer.script("FLUSH");
    await storage.writeMany([staleSoon, { key, bytes, ttl: minute }]);
    expect(await read()).toBe("value");
    await observer.script("FLUSH");
    await Promise.all([storage.writeMany([staleSoon]), storage.removeMany([key])]);
    expect(await read()).toBe("undefined");
  });

  it("never gives a generation an earlier time than the one before, even if the clock was set back", async () => {
    await storage.generations!.bump([key], minute);
    const later = Date.now() + 3_600_000;
    const stored = (await observer.getBuffer(key))!;
    const ahead = Buffer.concat([stored.subarray(0, headerLength), Buffer.from(`ahead@${later}`)]);
    await observer.set(key, ahead, "PX", minute);
    const [next] = await storage.generations!.bump([key], minute);
    expect(next?.at).toBe(later);
    expect(next?.id).not.toBe("ahead");
  });

  it("acquires a lease without touching the bytes: 16 MiB cost no more than 16 bytes", async () => {
    await storage.writeMany([{ key, bytes: Buffer.alloc(16 * 1024 * 1024, "x"), ttl: minute, freshFor: 0 }]);
    await observer.config("RESETSTAT");
    const token = await acquired();
    await storage.leases!.release([{ key, token }]);
    const traffic = /total_net_output_bytes:(\d+)/.exec(await observer.info("stats"))?.[1];
    expect(Number(traffic)).toBeLessThan(20_000);
    expect((await storage.readMany([key]))[0]?.length).toBe(16 * 1024 * 1024);
  });
});
