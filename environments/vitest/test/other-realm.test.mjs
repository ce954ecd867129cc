// The pool vmThreads gives each file its own context. Values of Node.js itself have the classes of
// another realm there.
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { file } from "@cacheme/file";
import { Cacheme, CachemeError, compressed, defineNode, json, memory, msgpack, v8 } from "cacheme";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cacheme-vitest-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/**
 * Reads with a space, then with another one over the same folder, which must decode the stored
 * value.
 */
async function throughFiles(serializer, load) {
  const made = defineNode({ name: "made", caches: [{ storage: "files" }], serializer, key: () => "1", load });
  const answers = [];
  for (const loader of [load, () => Promise.reject(new Error("It was not stored."))]) {
    const space = new Cacheme();
    await space.registerStorage("files", file(folder));
    const failures = [];
    space.on("notStored", ({ error }) => failures.push(error));
    answers.push(await space.get(made(), { load: loader }));
    expect(failures).toEqual([]);
    await space.close();
  }
  return answers;
}

const serializers = [
  ["msgpack()", msgpack()],
  ["v8()", v8()],
  ["json()", json()],
  ["compressed(msgpack())", compressed(msgpack())],
];

describe.each(serializers)("%s", (_, serializer) => {
  it("carries results of os.cpus(), structuredClone and fetch, and the test's own objects", async () => {
    const [first, second] = await throughFiles(serializer, async () => [
      os.cpus(),
      structuredClone({ list: [1, { two: 2 }] }),
      await new Response('{"users":[{"id":1}]}').json(),
      { own: [1] },
    ]);
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  });
});

describe.each(serializers.slice(0, 2))("%s", (_, serializer) => {
  it("carries Maps, Sets, Dates, bytes and errors of both realms", async () => {
    const value = () => ({
      map: new Map([[1n, new Set(["a"])]]),
      date: new Date(0),
      bytes: [...Buffer.from("ab")],
      buffer: Buffer.from("ab"),
    });
    const [, [own, foreign]] = await throughFiles(serializer, () => [value(), structuredClone(value())]);
    for (const { map, date, buffer } of [own, foreign]) {
      expect(map.get(1n).has("a")).toBe(true);
      expect(date.getTime()).toBe(0);
      expect([...buffer]).toEqual([97, 98]);
    }
  });
});

it("carries errors of Node.js itself", async () => {
  const load = async () => ({ error: await readFile("/no/such/file").catch((error) => error) });
  const [, { error }] = await throughFiles(msgpack(), load);
  expect([error.code, error.syscall]).toEqual(["ENOENT", "open"]);
});

it("keeps values of both realms in memory, frozen, cloned and shared", async () => {
  for (const values of ["frozen", "cloned", "shared"]) {
    const space = new Cacheme();
    await space.registerStorage("local", memory({ values }));
    const made = defineNode({ name: "made", caches: [{ storage: "local" }], key: () => "1" });
    await space.set(made(), [structuredClone({ list: [1] }), { list: [1] }]);
    expect(await space.get(made())).toEqual([{ list: [1] }, { list: [1] }]);
    await space.close();
  }
});

it("fails with the missing package of an address", async () => {
  const error = await new Cacheme().registerStorage("redis", "redis://127.0.0.1").catch((reason) => reason);
  expect(error).toBeInstanceOf(CachemeError);
  expect(error.code).toBe("CACHEME_MISSING_PACKAGE");
});

it("finds the installed package of an address", async () => {
  const space = new Cacheme();
  await space.registerStorage("files", `file://${folder}`);
  await space.close();
});
