// Runs the tests in three pools of Vitest, once with the package inlined by Vite, and tests of
// node:test.
import { spawnSync } from "node:child_process";

/** @param {string[]} parameters of Node.js */
function run(parameters) {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  if (status !== 0) throw new Error(`${parameters.join(" ")}:\n${stdout}${stderr}`);
  return stdout;
}

const vitest = run(["node_modules/vitest/vitest.mjs", "run"]);
const nodeTest = run(["--no-warnings", "--test", "--test-reporter=tap", "node-test.mjs"]);
const passed = /Tests +(\d+) passed/.exec(vitest)?.[1];
const passedByNode = /^# pass (\d+)$/m.exec(nodeTest)?.[1];
process.stdout.write(`Vitest: ${passed} passed; node:test: ${passedByNode} passed\n`);
