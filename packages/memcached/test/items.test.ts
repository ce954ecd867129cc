import { randomBytes } from "node:crypto";
import { type Server, server as start } from "@cacheme/test-services";
import { cleanup, until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { LeaseAnswer, RemoteStorage } from "cacheme/driver";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { memcached } from "../src/index.js";
import { itemName } from "../src/item-name.js";
import { Raw } from "./raw.js";

const minute = 60_000;
const text = (key: string, value: string, ttl = minute) => ({ key, bytes: Buffer.from(value), ttl });

describeWithServer("memcached", "items on the server", (server) => {
  const { closing, after } = cleanup();
  let storage: RemoteStorage;
  let raw: Raw;
  beforeEach(async () => {
    storage = closing(memcached(server().url));
    raw = await Raw.to(server().port);
    after(() => raw.end());
    await raw.say("flush_all");
  });

  const textsOf = async (...keys: string[]) =>
    (await storage.readMany(keys)).map((bytes) => bytes && Buffer.from(bytes).toString());

  it("are the value's bytes under the key, so that other programs can read them", async () => {
    await storage.writeMany([text("app:user:7", "value")]);
    expect(await raw.say("get app:user:7")).toBe("VALUE app:user:7 11 5\r\nvalue\r\nEND\r\n");
  });

  it("of other programs are misses, are leased like misses and are replaced", async () => {
    await raw.say("set theirs 0 0 5\r\nvalue", "set also 11 0 3\r\nabc", "set empty 1 0 0\r\n");
    expect(await textsOf("theirs", "also")).toEqual([undefined, undefined]);
    const [answer] = (await storage.leases?.acquire([{ key: "theirs", duration: minute }])) ?? [];
    expect(answer?.outcome).toBe("granted");
    await storage.writeMany([text("also", "ours")]);
    expect(await textsOf("also")).toEqual(["ours"]);
  });

  it("that another program has marked as stale keep their own freshness", async () => {
    await storage.writeMany([text("marked", "value")]);
    await raw.say("md marked I");
    const [answer] = (await storage.leases?.acquire([{ key: "marked", duration: minute }])) ?? [];
    expect(answer?.outcome).toBe("fresh");
    expect(await textsOf("marked")).toEqual(["value"]);
  });

  it("under a hash are found only by the whole key", async () => {
    const [mine, other] = ["a key with spaces", "another one"];
    await storage.writeMany([text(mine, "mine")]);
    const stored = await raw.say(`mg ${itemName(mine)} f v`);
    const [, size, flags, data] = /^VA (\d+) f(\d+)\r\n(.*)\r\n$/s.exec(stored) ?? [];
    await raw.say(`ms ${itemName(other)} ${size} F${flags}\r\n${data}`);
    expect(await textsOf(mine, other)).toEqual(["mine", undefined]);
    const [answer] = (await storage.leases?.acquire([{ key: other, duration: minute }])) ?? [];
    expect(answer?.outcome).toBe("granted");
  });

  it("end relative to the server's clock up to 30 days, and at a time of that clock beyond", async () => {
    const day = 86_400_000;
    const leftOf = async (key: string) => Number(/t(-?\d+)/.exec(await raw.say(`mg ${key} t`))?.[1]);
    for (const days of [1, 30, 31, 400, 3650]) {
      await storage.writeMany([text("long", "value", days * day)]);
      const left = await leftOf("long");
      expect(left, `${days} days`).toBeLessThanOrEqual(days * 86_400);
      expect(left, `${days} days`).toBeGreaterThanOrEqual(days * 86_400 - 3);
    }
    await storage.writeMany([{ ...text("always", "value"), ttl: undefined }]);
    expect(await leftOf("always")).toBeGreaterThan(10 * 365 * 86_400);
  });

  it("beside a lease keep their own end, even if the lease ends later", async () => {
    await storage.writeMany([{ ...text("brief", "stale", 3000), freshFor: 0 }]);
    const [answer] = (await storage.leases?.acquire([{ key: "brief", duration: minute }])) ?? [];
    expect(answer?.outcome).toBe("granted");
    expect(await textsOf("brief")).toEqual(["stale"]);
    expect(Number(/t(\d+)/.exec(await raw.say("mg brief t"))?.[1])).toBeGreaterThan(50);
    await until(async () => (await textsOf("brief"))[0] === undefined);
    const [again] = (await storage.leases?.acquire([{ key: "brief", duration: minute }])) ?? [];
    expect(again?.outcome).toBe("held");
  });

  it("grow by five bytes with each lease, whatever the value's size", async () => {
    const bytes = randomBytes(100_000);
    await storage.writeMany([{ key: "large", bytes, ttl: 600_000, freshFor: 0 }]);
    for (let lease = 1; lease <= 3; lease++) {
      await storage.leases?.acquire([{ key: "large", duration: 1000, steal: true }]);
      expect(await raw.say("mg large s")).toBe(`HD s${100_000 + 5 + 5 * lease}\r\n`);
    }
    const [found] = await storage.readMany(["large"]);
    expect(found && Buffer.compare(found, bytes)).toBe(0);
  });

  describe("of a lease that is extended", () => {
    const granted = async (key: string, duration = 1000) => {
      const [answer] = (await storage.leases?.acquire([{ key, duration }])) ?? [];
      if (answer?.outcome !== "granted") throw new Error(`expected a lease, got ${answer?.outcome}`);
      return { key, token: answer.token };
    };
    const outcome = async (key: string) =>
      (await storage.leases?.acquire([{ key, duration: minute }]))?.[0]?.outcome;
    const kept = async (key: string) => Number(/t(-?\d+)/.exec(await raw.say(`mg ${key} t`))?.[1]);

    it("without bytes keep its first token, live longer or shorter, and are misses", async () => {
      const lease = await granted("alone");
      for (const duration of [minute, 2 * minute, minute]) {
        expect(await storage.leases?.extend?.([{ ...lease, duration }])).toEqual([true]);
        expect(Math.abs((await kept("alone")) - duration / 1000)).toBeLessThan(5);
        expect(await textsOf("alone")).toEqual([undefined]);
        expect(await outcome("alone")).toBe("held");
      }
      expect(await storage.leases?.fill([{ ...text("alone", "loaded"), ...lease }])).toEqual([true]);
      expect(await storage.leases?.fill([{ ...text("alone", "again"), ...lease }])).toEqual([false]);
      expect(await storage.leases?.extend?.([{ ...lease, duration: minute }])).toEqual([false]);
      expect(await textsOf("alone")).toEqual(["loaded"]);
    });

    it("with bytes keep these to their end, and are released with the first token", async () => {
      await storage.writeMany([{ ...text("beside", "stale", 3000), freshFor: 0 }]);
      const lease = await granted("beside");
      for (const duration of [minute, 2000, minute]) {
        expect(await storage.leases?.extend?.([{ ...lease, duration }])).toEqual([true]);
        expect(await outcome("beside")).toBe("held");
      }
      await until(async () => (await textsOf("beside"))[0] === undefined);
      expect(await outcome("beside")).toBe("held");
      expect(await storage.leases?.release([lease])).toEqual([true]);
      expect(await storage.leases?.release([lease])).toEqual([false]);
      expect(await storage.leases?.extend?.([{ ...lease, duration: minute }])).toEqual([false]);
      expect(await outcome("beside")).toBe("granted");
    });

    it("answer a batch in its order", async () => {
      const [a, lost, b] = [await granted("a"), await granted("lost"), await granted("b")];
      await storage.removeMany(["lost"]);
      const again = await granted("lost");
      const held = [a, lost, b].map((lease) => ({ ...lease, duration: minute }));
      expect(await storage.leases?.extend?.(held)).toEqual([true, false, true]);
      expect(await storage.leases?.release([again])).toEqual([true]);
      expect(await storage.leases?.release(held)).toEqual([true, false, true]);
    });
  });

  it("do not count as fresh if the caller has seen their bytes", async () => {
    await storage.writeMany([text("seen", "value")]);
    const ask = async (seen?: string) => {
      const request = { key: "seen", duration: minute, seen: seen === undefined ? seen : Buffer.from(seen) };
      return (await storage.leases?.acquire([request]))?.[0]?.outcome;
    };
    expect(await ask("other")).toBe("fresh");
    expect(await ask("value")).toBe("granted");
    expect(await ask("value")).toBe("held");
    expect(await ask()).toBe("fresh");
    expect(await textsOf("seen")).toEqual(["value"]);
  });

  it("are counted by info", async () => {
    await storage.writeMany([text("a", "A"), text("b", "B")]);
    expect(await storage.info?.()).toMatchObject({
      server: expect.stringMatching(/^memcached \d+\.\d+\.\d+/),
      records: expect.any(Number),
      bytes: expect.any(Number),
      details: { servers: 1, [`127.0.0.1:${server().port}`]: "up" },
    });
  });

  describe("on a server with the usual limit of 1 MiB", () => {
    let small: Server;
    beforeAll(async () => {
      small = await start("memcached", { arguments: ["-I", "1m"] });
    });
    afterAll(() => small?.stop());
    beforeEach(() => {
      storage = closing(memcached(small.url));
    });

    it("that are too large are refused with their keys and keep the old value, and the others are stored", async () => {
      await storage.writeMany([text("large", "as it was")]);
      const records = [
        text("first", "1"),
        { key: "large", bytes: Buffer.alloc(1024 * 1024), ttl: minute },
        text("last", "2"),
      ];
      const error: unknown = await storage.writeMany(records).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
      expect(error).toHaveProperty(
        "message",
        expect.stringMatching(/a write failed for 1 of 3 keys: "large"\..*1,048,576 bytes.*larger -I/s),
      );
      expect(await textsOf("first", "large", "last")).toEqual(["1", "as it was", "2"]);
    });

    it("are stored up to the size that the error names, and may be leased at that size", async () => {
      const error = await storage
        .writeMany([{ key: "full", bytes: Buffer.alloc(1024 * 1024), ttl: minute }])
        .then(() => "", String);
      const most = Number(/takes ([\d,]+) with this key/.exec(error)?.[1]?.replaceAll(",", ""));
      const bytes = randomBytes(most);
      await storage.writeMany([{ key: "full", bytes, ttl: 600_000, freshFor: 600_000 }]);
      await expect(
        storage.writeMany([{ key: "full", bytes: Buffer.alloc(most + 1), ttl: minute }]),
      ).rejects.toThrow("full");
      const lease = () => storage.leases?.acquire([{ key: "full", duration: 1000, steal: true }]);
      expect((await lease())?.[0]?.outcome).toBe("granted");
      expect((await storage.readMany(["full"]))[0]?.length).toBe(most);
      // There is room for some marks. The next lease is worth more than bytes that are being
      // replaced.
      let answer: LeaseAnswer | undefined;
      do {
        [answer] = (await lease()) ?? [];
        if (answer?.outcome !== "granted") throw new Error("The lease was not to be had.");
      } while ((await storage.readMany(["full"]))[0] !== undefined);
      expect(await storage.leases?.fill([{ ...text("full", "new"), token: answer.token }])).toEqual([true]);
      expect(await textsOf("full")).toEqual(["new"]);
    });

    it("have room for a lease that is extended again and again", async () => {
      const error = await storage
        .writeMany([{ key: "whole", bytes: Buffer.alloc(1024 * 1024), ttl: minute }])
        .then(() => "", String);
      const most = Number(/takes ([\d,]+) with this key/.exec(error)?.[1]?.replaceAll(",", ""));
      await storage.writeMany([{ key: "whole", bytes: randomBytes(most), ttl: 600_000 }]);
      const [answer] =
        (await storage.leases?.acquire([{ key: "whole", duration: minute, steal: true }])) ?? [];
      if (answer?.outcome !== "granted") throw new Error("The lease was not to be had.");
      for (const duration of [minute, 1_200_000, minute]) {
        const held = { key: "whole", token: answer.token, duration };
        expect(await storage.leases?.extend?.([held])).toEqual([true]);
        expect((await storage.readMany(["whole"]))[0]?.length).toBe(most);
      }
    });

    it("are refused in a fill too, which keeps its lease", async () => {
      const acquire = async () => (await storage.leases?.acquire([{ key: "filled", duration: minute }]))?.[0];
      const answer = await acquire();
      if (answer?.outcome !== "granted") throw new Error("The lease was not to be had.");
      const { token } = answer;
      const tooLarge = { key: "filled", bytes: Buffer.alloc(2 ** 21), ttl: minute, token };
      await expect(storage.leases?.fill([tooLarge])).rejects.toThrow(/"filled".*larger -I/s);
      expect((await acquire())?.outcome).toBe("held");
      expect(await storage.leases?.fill([{ ...text("filled", "fits"), token }])).toEqual([true]);
    });
  });

  it("without room on a full server that does not evict are named, with the server's words", async () => {
    const full = await start("memcached", { arguments: ["-m", "8", "-M", "-I", "512k"] });
    after(() => full.stop());
    storage = closing(memcached(full.url, { commandTimeout: "30s" }));
    const records = Array.from({ length: 100 }, (_, index) => ({
      key: `k${index}`,
      bytes: Buffer.alloc(300_000),
      ttl: minute,
    }));
    await expect(storage.writeMany(records)).rejects.toThrow(/of 100 keys: .* and \d+ more.*out of memory/s);
    await storage.ping();
  });
});
