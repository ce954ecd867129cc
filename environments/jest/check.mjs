// Runs Jest twice: with CommonJS and with ES modules.
import { spawnSync } from "node:child_process";

/** @param {string} project @param {string[]} flags of Node.js */
function jest(project, flags = []) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [...flags, "node_modules/jest/bin/jest.js", "--ci", "--runInBand", "--config", `${project}/package.json`],
    { encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } },
  );
  if (status !== 0) throw new Error(`${project}: ${stderr}`);
  return /^Tests: .*$/m.exec(stderr)?.[0].replace(/ +/g, " ") ?? stderr;
}

const inCommonJs = jest("commonjs");
const inModules = jest("modules", ["--experimental-vm-modules", "--no-warnings"]);
process.stdout.write(`CommonJS ${inCommonJs}; ES modules ${inModules}\n`);
