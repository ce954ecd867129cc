import { CachemeError } from "cacheme";
import { Cluster, Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { backOff } from "../src/client.js";
import { redis } from "../src/index.js";
import { settings } from "../src/options.js";

const clients: { disconnect(): void }[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

describe("the address of a server", () => {
  it.each([
    ["redis://localhost", "redis://localhost:6379"],
    ["redis://10.0.0.7:7000/3", "redis://10.0.0.7:7000/3"],
    ["rediss://user:secret@cache.example:6380", "rediss://cache.example:6380"],
    ["valkey://:secret@cache.example/1", "redis://cache.example:6379/1"],
    ["valkeys://cache.example", "rediss://cache.example:6379"],
    ["REDIS://localhost", "redis://localhost:6379"],
  ])("%s is called %s", (url, label) => {
    expect(redis(url).label).toBe(label);
  });

  it("is read with its name, its password and its database", () => {
    const { own } = settings("valkeys://user:p%40ss@cache.example:6380/2", {});
    expect(own?.options).toMatchObject({ username: "user", password: "p@ss", db: 2, port: 6380 });
    expect(own?.options.tls).toBeTruthy();
  });

  it.each(["localhost:6379", "http://localhost", "redis:6379", "redis://:secret@[", ""])(
    "is refused if it is %j",
    (url) => {
      const make = () => redis(url);
      expect(make).toThrow(expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }));
      expect(make).toThrow("redis://host:6379");
      expect(make).toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
    },
  );
});

describe("the options of ioredis", () => {
  it("are used, and name the storage", () => {
    expect(redis({ host: "cache.example", port: 7000, password: "secret" }).label).toBe(
      "redis://cache.example:7000",
    );
    expect(redis({ host: "::1" }).label).toBe("redis://[::1]:6379");
    expect(redis({ path: "/run/redis.sock" }).label).toBe("redis:/run/redis.sock");
    expect(settings({ keyPrefix: "app:" }, {}).own?.options.keyPrefix).toBe("app:");
  });

  it.each([
    ["commandTimeout", 100],
    ["connectTimeout", 100],
    ["enableOfflineQueue", true],
    ["lazyConnect", true],
    ["autoResendUnfulfilledCommands", true],
    ["maxRetriesPerRequest", 3],
    ["retryStrategy", () => 1],
    ["sentinels", []],
  ])("do not include %s, which is the storage's own business", (name, value) => {
    expect(() => redis({ [name]: value })).toThrow(`does not take the option ${name} of ioredis`);
  });
});

describe("a client of the program's own", () => {
  it("names the storage, and nothing of it is changed", () => {
    const client = new Redis({
      host: "cache.example",
      port: 7000,
      password: "secret",
      db: 2,
      lazyConnect: true,
    });
    clients.push(client);
    const before = { ...client.options };
    expect(redis(client).label).toBe("redis://cache.example:7000/2");
    expect({ ...client.options }).toEqual(before);
    expect(client.status).toBe("wait");
  });

  it("is refused if it is a Cluster's", () => {
    const client = new Cluster(["redis://localhost:1"], { lazyConnect: true });
    clients.push(client);
    // A Cluster is no RedisClient by its types either: its pipelines cannot cross slots.
    expect(() => redis(client as never)).toThrow("Redis Cluster");
  });
});

describe("the options of the storage", () => {
  it("have defaults", () => {
    expect(settings("redis://localhost", {})).toMatchObject({
      connect: "eager",
      commandTimeout: 1000,
      connectTimeout: 2000,
    });
  });

  it("take durations", () => {
    const given = { commandTimeout: "1.5s", connectTimeout: 250 } as const;
    expect(settings("redis://localhost", given)).toMatchObject({ commandTimeout: 1500, connectTimeout: 250 });
  });

  it.each(["5 s", "-5s", "0ms", 0, -1, Number.NaN, Number.POSITIVE_INFINITY, "30d", null])(
    "refuse %j as a duration",
    (value) => {
      const make = () => redis("redis://localhost", { commandTimeout: value as never });
      expect(make).toThrow(CachemeError);
      expect(make).toThrow(expect.objectContaining({ code: "CACHEME_INVALID_DURATION" }));
    },
  );

  it("refuse a way to connect that there is not", () => {
    expect(() => redis("redis://localhost", { connect: "never" as never })).toThrow('Give "eager" or "lazy"');
  });
});

describe("the pause before a further attempt", () => {
  it("is doubled up to two seconds, less a random half", () => {
    const longest = Array.from({ length: 8 }, (_, attempt) => backOff(attempt, () => 1));
    expect(longest).toEqual([50, 100, 200, 400, 800, 1600, 2000, 2000]);
    expect(backOff(3, () => 0)).toBe(200);
    expect(backOff(5000, () => 1)).toBe(2000);
  });
});
