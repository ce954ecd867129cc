/**
 * Runs the same program in Node 20, 22, 24 and 26, Bun and Deno, in threads and in a cluster; in
 * Bun and Deno also as TypeScript. All share the entries of one folder.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { compile, run: runToEnd } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);
const here = import.meta.dirname;

/** The command of each runtime. */
const runtimes = {
  node20: ["node_modules/node20/bin/node"],
  node22: ["node_modules/node22/bin/node"],
  node24: ["node_modules/node24/bin/node"],
  node26: ["node_modules/node26/bin/node"],
  bun: ["node_modules/bun/bin/bun.exe"],
  deno: ["node_modules/deno/deno", "run", "--allow-all", "--no-prompt"],
};

const shared = mkdtempSync(join(tmpdir(), "cacheme-runtimes-"));
process.once("exit", () => rmSync(shared, { recursive: true, force: true }));

await compile(here);
const compiled = Object.entries(runtimes).map(([name, command]) => ({
  name,
  command,
  main: "dist/main.js",
  isV8: name !== "bun",
}));
const deno = [...runtimes.deno, "--unstable-sloppy-imports"];
const programs = [
  ...compiled,
  { name: "bun-source", command: runtimes.bun, main: "src/main.ts", isV8: false },
  { name: "deno-source", command: deno, main: "src/main.ts", isV8: true },
];
const names = programs.map(({ name }) => name);
const entries = join(shared, "entries");

// Each program stores its own entries; then each reads the entries of all.
await inTwos(programs, (program) => runProgram(program, []));
await inTwos(programs, async (program) => {
  const { readable } = await runProgram(program, names);
  const sameEngine = programs.filter(({ isV8 }) => isV8 === program.isV8).map(({ name }) => name);
  assert.deepEqual(readable, sameEngine, `${program.name} reads by v8() what programs of its engine wrote`);
});

const others = Object.entries({ node20: runtimes.node20, node26: runtimes.node26 });
await inTwos(others, async ([name, command]) => {
  await run([...command, "dist/threads.js", join(shared, `${name}-threads`)]);
  await run([...command, "dist/cluster.js", join(shared, `${name}-cluster`)]);
});

console.log(`${programs.length} programs share a folder; threads and clusters in ${others.length}`);

async function runProgram({ name, command, main }, others) {
  const printed = await run([...command, main, entries, name, ...others]);
  return JSON.parse(printed.trim().split("\n").at(-1));
}

/** @returns the output of the command, which must end by itself with code 0 */
function run(command) {
  const env = { ...process.env, DENO_DIR: join(shared, "deno"), DENO_NO_UPDATE_CHECK: "1" };
  return runToEnd(command, { cwd: here, env });
}

/** Two programs run at a time. */
async function inTwos(items, work) {
  const waiting = [...items];
  const next = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all([next(), next()]);
}
