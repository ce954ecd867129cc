#!/usr/bin/env node
// npm run quickstart: runs the main job in a fresh clone that has only Node, npm and git.
// npm run quickstart -- URL uses the storage at that address behind the memory.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { CommandError, root } from "./lib/command.mjs";
import { build, checkNodeVersion, install, toolchain } from "./lib/toolchain.mjs";

/** @param {NodeJS.ProcessEnv} env */
function runExample(env) {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(root, "examples/quickstart/dist/main.js"), ...process.argv.slice(2)],
      {
        cwd: root,
        env,
        stdio: "inherit",
      },
    );
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(signal === null ? code : 1));
  });
}

/**
 * @template T
 * @param {string} what
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
async function announce(what, work) {
  const start = performance.now();
  process.stdout.write(`${what} … `);
  const result = await work();
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

try {
  checkNodeVersion();
  const env = await announce("Fetching pnpm", toolchain);
  await announce("Installing", () => install(env));
  await announce("Building", () => build(env, ["@cacheme/example-quickstart"]));
  console.log();
  process.exitCode = await runExample(process.env);
} catch (error) {
  console.log("failed\n");
  if (error instanceof CommandError) console.error(error.output);
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
