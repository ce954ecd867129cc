import { describe, expect, it } from "vitest";
import { parseAddress, serverName } from "../../src/driver.js";

describe("an address", () => {
  it("has an account, several servers, a path and parameters", () => {
    const address = parseAddress(
      "Redis+Sentinel://me:s%3Acret@one:26379,[::1]:26380,10.0.0.7/my%20master/2?family=6&x=a%26b",
    );
    expect(address).toEqual({
      scheme: "redis+sentinel",
      username: "me",
      password: "s:cret",
      servers: [
        { host: "one", port: 26_379 },
        { host: "::1", port: 26_380 },
        { host: "10.0.0.7", port: undefined },
      ],
      path: ["my master", "2"],
      parameters: new URLSearchParams("family=6&x=a%26b"),
    });
  });

  it.each([
    ["redis://", { servers: [], path: [], username: undefined, password: undefined }],
    ["redis:///0", { servers: [], path: ["0"] }],
    [
      "redis://:secret@host",
      { username: undefined, password: "secret", servers: [{ host: "host", port: undefined }] },
    ],
    ["redis://name@host", { username: "name", password: undefined }],
    [
      "redis://name:a:b@c@host",
      { username: "name", password: "a:b@c", servers: [{ host: "host", port: undefined }] },
    ],
    ["redis://host/", { path: [] }],
  ])("may be %s", (text, parts) => {
    expect(parseAddress(text)).toMatchObject(parts);
  });

  it.each([
    ["", "nothing"],
    ["host:6379", "no scheme"],
    ["redis:host", "no slashes"],
    ["redis://host:0", "port 0"],
    ["redis://host:65536", "a port that is too large"],
    ["redis://host:port", "a port in letters"],
    ["redis://a,,b", "an empty server"],
    ["redis://a b", "a space"],
    ["redis://::1", "an IPv6 address without brackets"],
    ["redis://[::1", "an open bracket"],
    ["redis://host#part", "a fragment"],
    ["redis://100%@host", 'a stray "%" in the account'],
    ["redis://host/100%", 'a stray "%" in the path'],
  ])("is not %j: %s", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it("is read in one pass, however long its parts are", () => {
    const long = (part: string) => parseAddress(`redis://${part.repeat(50_000)}`);
    expect(long("a@")).toMatchObject({ servers: [] });
    expect(long("a,")).toBeUndefined();
    expect(long("/a")?.path).toHaveLength(50_000);
    expect(long("%")).toBeUndefined();
  });
});

describe("a server's name", () => {
  it("has an IPv6 address in brackets", () => {
    expect([serverName({ host: "::1", port: 1 }), serverName({ host: "one", port: 2 })]).toEqual([
      "[::1]:1",
      "one:2",
    ]);
  });
});
