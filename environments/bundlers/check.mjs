// Bundles programs with each bundler, and runs the bundles in a folder without node_modules above
// it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { bundlers } from "./builds/bundlers.mjs";

const run = promisify(execFile);
const folder = realpathSync(mkdtempSync(join(tmpdir(), "cacheme-bundles-")));

try {
  for (const bundler of bundlers) {
    for (const entry of ["report", "first", "second"]) {
      const warnings = await bundler.build(resolve(`src/${entry}.mjs`), bundleOf(bundler, entry));
      assert.deepEqual(warnings, [], `${bundler.name} warned of ${entry}`);
    }
  }
  // The bundles run without packages. webpack and Rspack put the paths of the build into their
  // bundles.
  renameSync("node_modules", "elsewhere");
  for (const bundler of bundlers) await readsOneFolder(bundler);
  for (const bundler of bundlers) await sharesTheProcess(bundler);
} finally {
  rmSync(folder, { recursive: true });
}
process.stdout.write(`${bundlers.length} ways to bundle\n`);

/** The first bundle loads. The bundles of the other bundlers find its stored values. */
async function readsOneFolder(bundler) {
  const { advice, ...printed } = await report(bundleOf(bundler, "report"));
  const expected = {
    report:
      "{\n  error: [RangeError: too far] { [cause]: 'a test' },\n" +
      "  seen: Map(1) { 1n => 1970-01-01T00:00:00.000Z },\n  missing: undefined\n}",
    isError: true,
    page: 10_000,
    origin: "local",
    loads: bundler === bundlers[0] ? 2 : 0,
    unreached: "CACHEME_CONNECT_FAILED",
    refused: "CACHEME_MISSING_PACKAGE",
  };
  assert.deepEqual(printed, expected, bundler.name);
  assert.match(advice, /import \{ redis \} from "@cacheme\/redis"/, bundler.name);
}

/**
 * Two bundles in one process share the default space. Cacheme distinguishes their classes, whatever
 * names a minifier gives them.
 */
async function sharesTheProcess(bundler) {
  const { name } = bundler;
  const [first, second] = await Promise.all([
    import(pathToFileURL(bundleOf(bundler, "first")).href),
    import(pathToFileURL(bundleOf(bundler, "second")).href),
  ]);
  await first.setUp();
  await second.setUp(); // Registers the same storages again.

  assert.deepEqual(await first.read(), ["the user 1", "the user 1, at hand"], name);
  assert.deepEqual(await second.read(), ["the post 1", "the post 1, at hand"], name);
  if (name.startsWith("esbuild")) assert.deepEqual(second.names, first.names, `${name} gives other names`);

  for (const bundle of [first, second]) {
    const refusal = await bundle.readNameless().catch((error) => error);
    assert.ok(refusal instanceof first.CachemeError, name);
    assert.equal(refusal.code, "CACHEME_INVALID_META", name);
    assert.match(refusal.message, /`name`/, name);
  }

  const value = await first.readShared();
  assert.equal(await second.readShared(), value, name);
  assert.equal(first.counted.loads + second.counted.loads, 1, name);
  await second.reset();
  globalThis.shelf.clear();
}

async function report(bundle) {
  const { stdout, stderr } = await run(process.execPath, [bundle, join(folder, "entries")], { cwd: folder });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

function bundleOf({ name, ending }, entry) {
  return join(folder, name.replaceAll(" ", "-"), `${entry}.${ending}`);
}
