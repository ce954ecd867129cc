const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { setTimeout: wait } = require("node:timers/promises");
const { file } = require("@cacheme/file");
const { Cacheme, defineNode, get, getAll, invalidate, memory, reset } = require("cacheme");
const { counted, filed, load, restart } = require("./counted.js");
const { slowShelf } = require("./storages.js");

let space;

beforeEach(async () => {
  restart();
  jest.useFakeTimers();
  space = new Cacheme();
  await space.registerStorage("local", memory());
});

afterEach(async () => {
  await space.close();
  jest.useRealTimers();
});

test("a miss is answered while all timers are faked", async () => {
  expect(await space.get(counted("a"))).toBe(1);
  expect(await space.getAll([counted("a"), counted("b")])).toEqual([1, 2]);
});

test("faked time moves ttls", async () => {
  await space.get(counted("a"));
  jest.advanceTimersByTime(59_999);
  expect(await space.get(counted("a"))).toBe(1);
  jest.advanceTimersByTime(1);
  expect(await space.get(counted("a"))).toBe(2);
});

test("running all timers does not end a load that waits for a server", async () => {
  const served = defineNode({
    name: "served",
    caches: [{ storage: "local" }],
    loadTimeout: "5s",
    key: () => "1",
    load: () => wait(1, "loaded"),
  });
  const reading = space.get(served());
  await Promise.resolve();
  jest.runAllTimers();
  jest.advanceTimersByTime(60_000);
  expect(await reading).toBe("loaded");
});

test("a load waits on faked timers of its own", async () => {
  const slow = defineNode({
    name: "slow",
    caches: [{ storage: "local" }],
    key: () => "1",
    load: () => new Promise((resolve) => setTimeout(resolve, 1_000, "loaded")),
  });
  const reading = space.get(slow());
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await reading).toBe("loaded");
});

test("a remote storage answers in real time", async () => {
  const shelf = slowShelf();
  await space.registerStorage("shelf", shelf);
  const shelved = defineNode({
    name: "shelved",
    caches: [{ storage: "shelf", ttl: "1m" }],
    key: (id) => id,
    load,
  });
  expect(await space.get(shelved("a"))).toBe(1);
  expect(await space.get(shelved("a"))).toBe(1);
  await space.invalidate(shelved("a"));
  expect(await space.get(shelved("a"))).toBe(2);
  jest.advanceTimersByTime(60_000);
  expect(await space.get(shelved("a"))).toBe(3);
});

test("a folder of files answers in real time, whatever the faked timers do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cacheme-jest-"));
  await space.registerStorage("files", file(folder));
  const reading = space.getAll([filed("a"), filed("b")]);
  jest.advanceTimersByTime(3_600_000); // This is longer than any deadline of a storage, and comes before the answer.
  expect(await reading).toEqual([1, 2]);
  jest.advanceTimersByTime(3_600_000);
  expect(await space.getAll([filed("a"), filed("b")])).toEqual([1, 2]);
  expect(space.storages().map(({ failureCount }) => failureCount)).toEqual([0, 0]);
  await space.close();
  rmSync(folder, { recursive: true });
});

test("a load that began with real timers ends without a warning under faked ones, and vice versa", async () => {
  jest.useRealTimers();
  const warned = jest.spyOn(console, "warn");
  let answer;
  const asked = defineNode({
    name: "asked",
    caches: [{ storage: "local" }],
    key: (id) => id,
    load: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  const first = space.get(asked("first"));
  await wait(1);
  jest.useFakeTimers();
  answer("one");
  expect(await first).toBe("one");

  const second = space.get(asked("second"));
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  await space.get(counted("between"));
  jest.useRealTimers();
  answer("two");
  expect(await second).toBe("two");
  expect(warned).not.toHaveBeenCalled();
});

test("the module's functions work with faked timers, too", async () => {
  const plain = defineNode({ name: "plain", key: (id) => id, load });
  expect(await get(plain("a"))).toBe(1);
  expect(await getAll([plain("a"), plain("b")])).toEqual([1, 2]);
  await invalidate(plain("a"));
  expect(await get(plain("a"))).toBe(3);
  await reset();
});
