import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, mock, test } from "node:test";
import { file } from "@cacheme/file";
import { Cacheme, memory } from "cacheme";
import { counted, filed, restart } from "./test/counted.mjs";

let space;

beforeEach(async () => {
  restart();
  mock.timers.enable({ now: 1_000_000 });
  space = new Cacheme();
  await space.registerStorage("local", memory());
});

afterEach(async () => {
  await space.close();
  mock.timers.reset();
});

test("a miss is answered while all timers are mocked", async () => {
  assert.deepEqual(await space.getAll([counted("a"), counted("b")]), [1, 2]);
});

test("mocked time moves ttls", async () => {
  await space.get(counted("a"));
  mock.timers.tick(59_999);
  assert.equal(await space.get(counted("a")), 1);
  mock.timers.tick(1);
  assert.equal(await space.get(counted("a")), 2);
});

test("a remote storage answers in real time, despite the mocked timers", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cacheme-node-test-"));
  await space.registerStorage("files", file(folder));
  const reading = space.getAll([filed("a"), filed("b")]);
  mock.timers.tick(3_600_000);
  assert.deepEqual(await reading, [1, 2]);
  assert.deepEqual(await space.getAll([filed("a"), filed("b")]), [1, 2]);
  await space.close();
  rmSync(folder, { recursive: true });
});

test("running all timers does not end a load that waits for the file system", async () => {
  const reading = space.get(counted("a"), { load: async () => (await stat(".")).isDirectory() });
  await Promise.resolve();
  mock.timers.runAll();
  assert.equal(await reading, true);
});
