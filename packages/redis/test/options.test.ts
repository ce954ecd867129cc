import { testAddresses } from "@cacheme/test-services/network/address-tests";
import { CachemeError } from "cacheme";
import { Cluster, Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { redis } from "../src/index.js";
import { settings } from "../src/options.js";

const clients: { disconnect(): void }[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

describe("the address of a server", () => {
  testAddresses(redis, {
    labels: [
      ["redis://localhost", "redis://localhost:6379"],
      ["redis://10.0.0.7:7000/3", "redis://10.0.0.7:7000/3"],
      ["rediss://user:secret@cache.example:6380", "rediss://cache.example:6380"],
      ["valkey://:secret@cache.example/1", "redis://cache.example:6379/1"],
      ["valkeys://cache.example", "rediss://cache.example:6379"],
      ["REDIS://localhost", "redis://localhost:6379"],
    ],
    refused: ["localhost:6379", "http://localhost", "redis:6379", "redis://:secret@[", ""],
    words: "redis://host:6379",
  });

  it("includes the name, the password and the database", () => {
    expect(settings("valkeys://user:p%40ss@cache.example:6380/2", {}).target).toEqual({
      kind: "server",
      options: { username: "user", password: "p@ss", db: 2, host: "cache.example", port: 6380, tls: {} },
    });
  });
});

describe("the address of a Cluster", () => {
  testAddresses(redis, {
    labels: [
      ["redis+cluster://10.0.0.7:7000,10.0.0.8:7001", "redis+cluster://10.0.0.7:7000,10.0.0.8:7001"],
      ["rediss+cluster://user:secret@a.example,[::1]:7000", "rediss+cluster://a.example:6379,[::1]:7000"],
      ["valkey+cluster://a.example/", "redis+cluster://a.example:6379"],
    ],
    refused: [
      "redis+cluster://",
      "redis+cluster://a,,b",
      "redis+cluster://a:0",
      "redis+cluster://a:70000",
      "redis+cluster://:secret@a/1",
      "redis+other://a",
    ],
    words: "not an address of a Redis server",
  });

  it("gives every node its credentials", () => {
    const { target } = settings("rediss+cluster://user:p%40:ss@a.example", {});
    expect(target).toMatchObject({ options: { username: "user", password: "p@:ss", tls: {} } });
  });
});

describe("the address of a master behind sentinels", () => {
  testAddresses(redis, {
    labels: [
      [
        "redis+sentinel://10.0.0.7,10.0.0.8:26380/mymaster",
        "redis+sentinel://10.0.0.7:26379,10.0.0.8:26380/mymaster",
      ],
      ["rediss+sentinel://:secret@a.example/mymaster/3", "rediss+sentinel://a.example:26379/mymaster/3"],
    ],
    refused: [
      "redis+sentinel://a",
      "redis+sentinel://a/",
      "redis+sentinel://a/m/x",
      "redis+sentinel://a/m/1/2",
    ],
    words: "not an address of a Redis server",
  });
});

describe("the options of a Cluster and of sentinels", () => {
  const server = { host: "a.example", port: 7000 };
  it("give the storage its label", () => {
    expect(redis({ cluster: [server, { ...server, host: "::1" }] }).label).toBe(
      "redis+cluster://a.example:7000,[::1]:7000",
    );
    expect(redis({ sentinels: [server], name: "m", password: "secret" }).label).toBe(
      "redis+sentinel://a.example:7000/m",
    );
  });

  it.each<[string, object]>([
    ["The option cluster of redis() is not a list of addresses", { cluster: [] }],
    ["The option cluster of redis() is not a list of addresses", { cluster: "a:1" }],
    ["The option cluster of redis() is not a list of addresses", { cluster: [{ host: "", port: 1 }] }],
    [
      "The option sentinels of redis() is not a list of addresses",
      { sentinels: [{ host: "a", port: 0.5 }], name: "m" },
    ],
    ["cluster and sentinels", { cluster: [server], sentinels: [server], name: "m" }],
    ["A Redis Cluster has no databases", { cluster: [server], db: 1 }],
    ["without the name of the master", { sentinels: [server] }],
    ["a name without sentinels", { name: "m" }],
  ])("are refused: %s", (message, options) => {
    expect(() => redis(options)).toThrow(message);
  });

  it("keep the sentinels' credentials apart from the servers'", () => {
    const { target } = settings(
      { sentinels: [server], name: "m", password: "one", sentinelPassword: "two", sentinelUsername: "u" },
      {},
    );
    expect(target).toMatchObject({
      kind: "sentinel",
      options: { password: "one" },
      sentinel: { sentinelOptions: { username: "u", password: "two" } },
    });
  });
});

describe("the options of ioredis", () => {
  it("are used, and give the storage its label", () => {
    expect(redis({ host: "cache.example", port: 7000, password: "secret" }).label).toBe(
      "redis://cache.example:7000",
    );
    expect(redis({ host: "::1" }).label).toBe("redis://[::1]:6379");
    expect(redis({ path: "/run/redis.sock" }).label).toBe("redis:/run/redis.sock");
    expect(settings({ keyPrefix: "app:" }, {}).target).toMatchObject({ options: { keyPrefix: "app:" } });
  });

  it.each([
    ["commandTimeout", 100],
    ["connectTimeout", 100],
    ["enableOfflineQueue", true],
    ["lazyConnect", true],
    ["autoResendUnfulfilledCommands", true],
    ["maxRetriesPerRequest", 3],
    ["retryStrategy", () => 1],
    ["sentinelRetryStrategy", () => 1],
  ])("do not include %s, which the storage decides", (name, value) => {
    expect(() => redis({ [name]: value })).toThrow(`does not take the option ${name} of ioredis`);
  });
});

describe("a client of the program", () => {
  it("gives the storage its label, and is not changed", () => {
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

  it("may be a Cluster", () => {
    const client = new Cluster(["redis://localhost:1"], { lazyConnect: true });
    clients.push(client);
    expect(settings(client, {}).target.kind).toBe("clusterClient");
    expect(redis(client).label).toBe("redis+cluster://(the program's own client)");
    expect(client.status).toBe("wait");
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

  it("refuse an unknown option", () => {
    expect(() => redis("redis://localhost", { timeout: 5 } as never)).toThrow('has no option "timeout"');
  });

  it("refuse an unknown value of connect", () => {
    expect(() => redis("redis://localhost", { connect: "never" as never })).toThrow('Give "eager" or "lazy"');
  });
});
