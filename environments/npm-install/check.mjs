// Installs with npm, as a user does, without optional packages, and counts the installed packages.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** @type {Record<string, string>} */
const tarballs = JSON.parse(process.env.CACHEME_TARBALLS ?? "{}");

const alone = await install("alone", [tarballs.cacheme]);
assert.deepEqual(alone, ["cacheme"]);

const withRedis = await install("with-redis", [
  tarballs.cacheme,
  tarballs["@cacheme/redis"],
  "ioredis@5.11.1",
]);
assert.ok(withRedis.length <= 12, `${withRedis.length} packages: ${withRedis.join(", ")}`);
copyFileSync("program.mjs", "with-redis/program.mjs");
const { stdout } = await run(process.execPath, ["program.mjs"], { cwd: "with-redis" });
assert.equal(stdout, "loaded");
process.stdout.write(`cacheme alone is 1 package; with Redis and ioredis ${withRedis.length}\n`);

/**
 * @param {string} name
 * @param {(string | undefined)[]} packages
 */
async function install(name, packages) {
  mkdirSync(name);
  writeFileSync(join(name, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  const flags = ["--omit=optional", "--no-audit", "--no-fund", "--prefer-offline"];
  await run("npm", ["install", ...flags, ...packages.map(String)], { cwd: name });
  const { stdout } = await run("npm", ["ls", "--all", "--parseable"], { cwd: name });
  const folder = resolve(name, "node_modules");
  return stdout.split("\n").flatMap((path) => (path.startsWith(folder) ? path.slice(folder.length + 1) : []));
}
