import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { file } from "@cacheme/file";
import { jest } from "@jest/globals";
import { CachemeError, defineNode, get, invalidate, memory, Node, registerStorage, reset } from "cacheme";

let loads = 0;

class CountedNode extends Node {
  static meta = { name: "counted", caches: [{ storage: "local", ttl: "1m" }, { storage: "files" }] };

  constructor(id) {
    super();
    this.id = id;
  }

  key() {
    return this.id;
  }

  load() {
    return { loads: ++loads, cloned: structuredClone({ list: [1] }) };
  }
}

const folder = mkdtempSync(join(tmpdir(), "cacheme-jest-"));

beforeEach(async () => {
  loads = 0;
  await registerStorage("local", memory());
  await registerStorage("files", file(folder));
});

afterEach(async () => {
  jest.useRealTimers();
  await reset();
  rmSync(folder, { recursive: true });
});

test("a class and a definition are read, stored, found and invalidated", async () => {
  const first = await get(new CountedNode("a"));
  expect(await get(new CountedNode("a"))).toBe(first);
  await invalidate(new CountedNode("a"));
  expect((await get(new CountedNode("a"))).loads).toBe(2);
  const defined = defineNode({ name: "defined", key: (id) => id, load: (id) => `loaded ${id}` });
  expect(await get(defined("b"))).toBe("loaded b");
});

test("faked timers move ttls and stop nothing", async () => {
  jest.useFakeTimers();
  const first = await get(new CountedNode("a"));
  jest.advanceTimersByTime(60_000);
  const second = await get(new CountedNode("a"));
  expect(second).not.toBe(first); // The copy in memory has expired: this value is from the folder.
  expect(second).toEqual(first);
  expect(loads).toBe(1);
});

test("modules that were reset share the default space", async () => {
  const first = await get(new CountedNode("a"));
  jest.resetModules();
  const again = await import("cacheme");
  expect(again.get).not.toBe(get);
  expect(await again.get(new CountedNode("a"))).toBe(first);
  await expect(again.registerStorage("local", "nothing:")).rejects.toBeInstanceOf(CachemeError);
});

test("CommonJS and ES modules share the default space", async () => {
  const { createRequire } = await import("node:module");
  const required = createRequire(import.meta.url)("cacheme");
  expect(required.get).not.toBe(get);
  const first = await get(new CountedNode("a"));
  expect(await required.get(new CountedNode("a"))).toBe(first);
});

test("an address finds its package", async () => {
  await registerStorage("by address", `file://${folder}`);
});
