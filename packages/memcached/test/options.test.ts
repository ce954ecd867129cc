import { describe, expect, it } from "vitest";
import { type MemcachedConnectionOptions, memcached } from "../src/index.js";
import { settings } from "../src/options.js";

const secret = "hunter2";

describe("the address", () => {
  it.each<[string, string, readonly string[]]>([
    ["memcached://cache.internal", "memcached://cache.internal:11211", ["cache.internal:11211"]],
    ["memcached://127.0.0.1:4711/", "memcached://127.0.0.1:4711", ["127.0.0.1:4711"]],
    ["memcached://a,b:1,c:2", "memcached://a:11211,b:1,c:2", ["a:11211", "b:1", "c:2"]],
    ["memcacheds://[::1]:5,[::2]", "memcacheds://[::1]:5,[::2]:11211", ["[::1]:5", "[::2]:11211"]],
    ["MEMCACHED://a", "memcached://a:11211", ["a:11211"]],
  ])("%s", (url, label, names) => {
    const given = settings(url, {});
    expect(given.label).toBe(label);
    expect(given.servers.map(({ name }) => name)).toEqual(names);
    expect(memcached(url).label).toBe(label);
  });

  it("has a percent-encoded username and password", () => {
    const given = settings("memcacheds://me:p%40ss%3A%2Fword@a", {});
    expect(given).toMatchObject({
      username: "me",
      password: "p@ss:/word",
      label: "memcacheds://a:11211",
      tls: {},
    });
  });

  it("takes a password with a colon", () => {
    expect(settings("memcached://me:correct:horse@a", {}).password).toBe("correct:horse");
  });

  it.each([
    "redis://a",
    "memcached://",
    "memcached://a:b",
    "memcached://a:999999",
    "memcached://a/0",
    "memcached://a?weight=1",
    "memcached://a,",
    "memcached://a b",
    `memcached://me:${secret}@`,
    `memcached:/me:${secret}@a`,
    "",
  ])("refuses %j, and does not show it", (url) => {
    expect(() => memcached(url)).toThrow(expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }));
    expect(() => memcached(url)).not.toThrow(secret);
  });
});

describe("the options", () => {
  it.each([undefined, null, 5])("are not %o, and the error shows the valid forms", (target) => {
    expect(() => memcached(target as never)).toThrow(
      /Give an address such as "memcached:\/\/host:11211", or \{ servers/,
    );
  });

  const servers = [{ host: "a" }];

  it("name servers, weights, an account and TLS", () => {
    const tls = { ca: "certificate" };
    const given = settings(
      {
        servers: [{ host: "a" }, { host: "::1", port: 5, weight: 2 }],
        username: "me",
        password: secret,
        tls,
      },
      { connect: "lazy", commandTimeout: "200ms", connectTimeout: 300 },
    );
    expect(given).toEqual({
      label: "memcacheds://a:11211,[::1]:5",
      servers: [
        { host: "a", port: 11211, weight: 1, name: "a:11211" },
        { host: "::1", port: 5, weight: 2, name: "[::1]:5" },
      ],
      username: "me",
      password: secret,
      tls,
      connect: "lazy",
      commandTimeout: 200,
      deadline: 200,
      connectTimeout: 300,
    });
    expect(settings({ servers, tls: true }, {}).tls).toEqual({});
    expect(settings({ servers, tls: false }, {}).tls).toBeUndefined();
  });

  it.each<[string, unknown, RegExp]>([
    ["no servers", { servers: [] }, /option servers .* at least one/],
    ["servers that are not a list", { servers: { host: "a" } }, /option servers .* an object/],
    ["nothing", undefined, /was given undefined/],
    ["a list", [], /expected an object .* got a list/],
    ["a server that is a string", { servers: ["a:11211"] }, /expected an object .* got "a:11211"/],
    ["a server without a host", { servers: [{ port: 1 }] }, /option host of a server .* undefined/],
    ["a host with an account in it", { servers: [{ host: "me:x@a" }] }, /option host of a server/],
    ["the port 0", { servers: [{ host: "a", port: 0 }] }, /option port of a server .* is 0/],
    [
      "a port that is a text",
      { servers: [{ host: "a", port: "11211" }] },
      /option port of a server .* is "11211"/,
    ],
    ["the weight 0", { servers: [{ host: "a", weight: 0 }] }, /option weight of a server/],
    [
      "a weight that is not a number",
      { servers: [{ host: "a", weight: Number.NaN }] },
      /option weight of a server/,
    ],
    [
      "an infinite weight",
      { servers: [{ host: "a", weight: Number.POSITIVE_INFINITY }] },
      /option weight of a server/,
    ],
    ["a server twice", { servers: [{ host: "a" }, { host: "a", port: 11211 }] }, /server a:11211 twice/],
    [
      "an unknown option of a server",
      { servers: [{ host: "a", prot: 1 }] },
      /a server of memcached\(\) has no option "prot"/,
    ],
    ["an unknown option", { servers, hosts: [] }, /has no option "hosts"/],
    ["a username without a password", { servers, username: "me" }, /option password/],
    ["a password without a username", { servers, password: secret }, /option username/],
    ["a username with a space", { servers, username: "m e", password: secret }, /option username/],
    [
      "a password with a line break",
      { servers, username: "me", password: `${secret}\r\nflush_all` },
      /option password/,
    ],
    ["a password with a space", { servers, username: "me", password: `${secret} horse` }, /option password/],
    ["an empty password", { servers, username: "me", password: "" }, /option password/],
    ["TLS that is a string", { servers, tls: "yes" }, /option tls .* "yes"/],
  ])("refuse %s", (_, target, message) => {
    // A program in JavaScript may give it.
    const given = target as MemcachedConnectionOptions;
    expect(() => memcached(given)).toThrow(message);
    expect(() => memcached(given)).toThrow(expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }));
    expect(() => memcached(given)).not.toThrow(secret);
  });

  it("refuse an unknown option and invalid times", () => {
    const url = "memcached://a";
    const wrong = (options: object) => () => memcached(url, options);
    expect(wrong({ timeout: 5 })).toThrow(/has no option "timeout"/);
    expect(wrong({ connect: "later" })).toThrow(/"eager" or "lazy"/);
    expect(wrong({ commandTimeout: "5 s" })).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_DURATION" }),
    );
    expect(wrong({ connectTimeout: -1 })).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_DURATION" }),
    );
  });
});
