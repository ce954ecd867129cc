import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { file } from "@cacheme/file";
import { glide } from "@cacheme/glide";
import { memcached } from "@cacheme/memcached";
import { mongodb } from "@cacheme/mongodb";
import { mysql } from "@cacheme/mysql";
import { postgres } from "@cacheme/postgres";
import { redis } from "@cacheme/redis";
import { sqlite } from "@cacheme/sqlite";
import { type ComplianceOptions, ComplianceSuite } from "@cacheme/testkit";
import { Cacheme, CachemeError, Node, type NodeMeta } from "cacheme";
import { type RemoteStorage, StorageCalls } from "cacheme/driver";

class FarNode extends Node<string> {
  static override meta: NodeMeta = { name: "far", caches: [{ storage: "far", ttl: "1m" }] };

  key() {
    return "far";
  }

  override load() {
    return "from the source";
  }
}

/**
 * No server listens at these addresses: the storages are created and read, and the value comes from
 * the source.
 */
const addresses: Record<string, (url: string, options: { connect: "lazy" }) => RemoteStorage> = {
  "redis://127.0.0.1:1": redis,
  "glide://127.0.0.1:1": glide,
  "mongodb://127.0.0.1:1/cache": mongodb,
  "postgres://127.0.0.1:1/cache": postgres,
  "mysql://127.0.0.1:1/cache": mysql,
  "memcached://127.0.0.1:1": memcached,
};

async function loadsBehind(storage: RemoteStorage | string): Promise<void> {
  const cacheme = new Cacheme();
  const options = typeof storage === "string" ? ({ connect: "lazy" } as const) : {};
  await cacheme.registerStorage("far", storage, options);
  assert.deepEqual(
    cacheme.storages().map(({ name, kind }) => [name, kind]),
    [["far", "remote"]],
  );
  assert.equal(await cacheme.get(new FarNode()), "from the source");
  await cacheme.close();
}

async function main(): Promise<void> {
  for (const [url, make] of Object.entries(addresses)) {
    await loadsBehind(make(url, { connect: "lazy" }));
    // The address finds its package, even if each package can only import its own dependencies.
    await loadsBehind(url);
  }

  const folder = await mkdtemp(join(tmpdir(), "cacheme-consumer-"));
  await loadsBehind(file(folder));
  await loadsBehind(pathToFileURL(folder).href);

  /**
   * The client of SQLite is not installed here: Node.js has its own, or the error names the package
   * to install.
   */
  const cacheme = new Cacheme();
  try {
    await cacheme.registerStorage("small", sqlite(":memory:"));
  } catch (error) {
    assert.ok(error instanceof CachemeError);
    assert.match(error.message, /better-sqlite3/);
  }
  await cacheme.close();
  await rm(folder, { recursive: true });

  const options: ComplianceOptions = { name: "file", create: () => file(folder) };
  assert.ok(new ComplianceSuite(options).sections.length > 5);
  assert.equal(typeof StorageCalls, "function");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
