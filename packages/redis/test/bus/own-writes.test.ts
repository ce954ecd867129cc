import { expect, it } from "vitest";
import { OwnWrites } from "../../src/bus/own-writes.js";
import { headerLength } from "../../src/record.js";
import * as scripts from "../../src/scripts.js";

const record = (bytes: string, token = Buffer.alloc(16)) =>
  Buffer.concat([Buffer.alloc(headerLength - 16, 1), token, Buffer.from(bytes)]);

function writes() {
  let now = 0;
  const own = new OwnWrites(() => now);
  return { own, pass: (milliseconds: number) => (now += milliseconds) };
}

it("explains the result of each kind of write", () => {
  const { own } = writes();
  const token = Buffer.from("0123456789abcdef");
  own.sends([
    { run: "set", key: "set", args: [record("a"), "PX", 10] },
    { run: scripts.fill, key: "filled", args: [token, record("b"), 10, ""] },
    { run: scripts.acquire, key: "leased", args: [token, 10, "0"] },
    { run: scripts.bumpGeneration, key: "tag", args: ["id", 10] },
    { run: "unlink", key: "unlinked", args: [] },
    { run: "mget", key: "read", args: [] },
    { run: scripts.release, key: "released", args: [token] },
  ]);
  own.removes(["removed"]);
  expect(own.explain("set", record("a", token))).toBe(true);
  expect(own.explain("set", record("b"))).toBe(false);
  expect(own.explain("set", null)).toBe(false);
  expect(own.explain("filled", record("b"))).toBe(true);
  expect(own.explain("leased", record("anything", token))).toBe(true);
  expect(own.explain("leased", record("anything"))).toBe(false);
  expect(own.explain("tag", record("id@1700000000000"))).toBe(true);
  expect(own.explain("tag", record("other@1700000000000"))).toBe(false);
  expect(own.explain("unlinked", null)).toBe(true);
  expect(own.explain("removed", null)).toBe(true);
  expect(own.explain("removed", record("a"))).toBe(false);
  for (const key of ["read", "released", "unknown"]) expect(own.has(key)).toBe(false);
});

it("remembers several writes of one key, and forgets them after 5 seconds", () => {
  const { own, pass } = writes();
  own.sends([{ run: "set", key: "key", args: [record("a")] }]);
  pass(3_000);
  own.sends([{ run: "set", key: "key", args: [record("b")] }]);
  expect(own.explain("key", record("a"))).toBe(true);
  pass(5_000);
  expect(own.has("key")).toBe(true);
  pass(1);
  expect(own.has("key")).toBe(false);
  own.sends([{ run: "set", key: "key", args: [record("c")] }]);
  expect(own.explain("key", record("a"))).toBe(false);
});

it("remembers 10,000 keys and 8 writes of each at most", () => {
  const { own } = writes();
  for (let count = 0; count < 10_001; count++) own.removes([`key ${count}`]);
  expect(own.has("key 0")).toBe(false);
  expect(own.has("key 1")).toBe(true);
  for (let count = 0; count < 9; count++) own.sends([{ run: "set", key: "key", args: [record(`${count}`)] }]);
  expect(own.explain("key", record("0"))).toBe(false);
  expect(own.explain("key", record("1"))).toBe(true);
});
