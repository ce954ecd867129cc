import assert from "node:assert/strict";
import { createRequire, isBuiltin } from "node:module";
import { join } from "node:path";
import { file } from "@cacheme/file";
import { sqlite } from "@cacheme/sqlite";
import {
  clear,
  get,
  getAll,
  getSync,
  invalidate,
  memoized,
  memory,
  peek,
  registerStorage,
  stats,
  v8,
} from "cacheme";
import {
  BrotliNode,
  GzipNode,
  hasV8Serializer,
  JsonNode,
  LengthNode,
  MsgpackNode,
  pageBy,
  RowNode,
  V8Node,
} from "./pages.js";

/** The classes with entries that each runtime must read, in whichever runtime they were written. */
const portable = [MsgpackNode, GzipNode, BrotliNode, JsonNode] as const;

const hasSqlite = isBuiltin("node:sqlite");

/** A busy machine may delay a program, and no check is about time. */
const patient = { commandTimeout: "30s", connectTimeout: "30s" } as const;

export async function open(folder: string): Promise<void> {
  await registerStorage("local", memory({ maxSize: 1_000 }));
  await registerStorage("folder", file(join(folder, "entries"), patient), { deadline: "20s" });
  if (hasSqlite) await registerStorage("rows", sqlite(join(folder, "rows.db"), patient), { deadline: "20s" });
}

/** Reads and writes through each kind of tier, with keys that no other program uses. */
export async function tour(name: string): Promise<void> {
  const key = `${name}-own`;
  for (const NodeClass of [...portable, V8Node, ...(hasSqlite ? [RowNode] : [])]) {
    const node = new NodeClass(key);
    const { loadCount } = stats(NodeClass);
    assert.deepEqual(
      await getAll([node, new NodeClass(key)]),
      [node.load(), node.load()],
      `${NodeClass.name} loads`,
    );
    await clear();
    assert.equal((await peek(node))?.origin, NodeClass === RowNode ? "rows" : "folder");
    assert.deepEqual(await get(node), node.load(), `${NodeClass.name} comes back from its remote tier`);
    assert.equal(stats(NodeClass).loadCount, loadCount + 1, `${NodeClass.name} was loaded once`);
    await invalidate(node);
    assert.equal(await peek(node), undefined, `${NodeClass.name} is gone`);
  }

  assert.equal(getSync(new LengthNode(name)), name.length);
  assert.equal(getSync(new LengthNode(name)), name.length);
  assert.equal(stats(LengthNode).loadCount, 1);

  const required: typeof import("cacheme") = createRequire(import.meta.url)("cacheme");
  assert.notEqual(required.get, get, "require gets the CommonJS build");
  assert.equal(required.getSync(new LengthNode(name)), name.length);
  assert.equal(required.stats(LengthNode).loadCount, 1, "both builds use one default space");

  if (!hasV8Serializer) assert.throws(v8, { code: "CACHEME_NOT_OFFERED" });

  const catalogue = new Catalogue();
  const pages = await Promise.all([catalogue.page(key), catalogue.page(key)]);
  assert.deepEqual(pages, [pageBy(key), pageBy(key)]);
  assert.equal(catalogue.calls, 1, "the decorated method was called once");
  await invalidate(new MsgpackNode(key));
}

class Catalogue {
  calls = 0;

  @memoized((name: string) => new MsgpackNode(name))
  async page(name: string) {
    this.calls += 1;
    return pageBy(name);
  }
}

/** Stores entries for the others. */
export async function write(name: string): Promise<void> {
  await getAll([...portable, V8Node].map((NodeClass) => new NodeClass(name)));
}

/**
 * Reads the entries of others without a load. The bytes of `v8()` depend on the engine: each such
 * entry must be right or a miss.
 *
 * @returns the names with readable `v8()` entries
 */
export async function read(names: readonly string[]): Promise<string[]> {
  for (const NodeClass of portable) {
    const { loadCount } = stats(NodeClass);
    const nodes = names.map((name) => new NodeClass(name));
    assert.deepEqual(
      await getAll(nodes),
      nodes.map((node) => node.load()),
      `expected the written values of ${NodeClass.name}`,
    );
    assert.equal(stats(NodeClass).loadCount, loadCount, `${NodeClass.name} was read from the folder`);
  }
  const readable: string[] = [];
  for (const name of names) {
    const entry = await peek(new V8Node(name));
    if (entry === undefined) continue;
    assert.deepEqual(entry.value, pageBy(name), `${name}'s entry by v8() is right or a miss`);
    readable.push(name);
  }
  return readable;
}
