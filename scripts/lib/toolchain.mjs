import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, run } from "./command.mjs";

/**
 * Environment variables for all steps: no telemetry, no colours in captured output, and no question
 * of pnpm before it creates node_modules again.
 */
const quiet = {
  DO_NOT_TRACK: "1",
  TURBO_TELEMETRY_DISABLED: "1",
  TURBO_NO_UPDATE_NOTIFIER: "1",
  NO_UPDATE_NOTIFIER: "1",
  NO_COLOR: "1",
  npm_config_update_notifier: "false",
  npm_config_fund: "false",
  pnpm_config_confirm_modules_purge: "false",
};

/** @typedef {{ engines: { node: string }, packageManager: string }} Manifest */

/** @returns {Manifest} */
function manifest() {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
}

/**
 * Throws if Node is older than the `engines` of the workspace require.
 *
 * @param {string} [version]
 * @returns {string} the version in use
 */
export function checkNodeVersion(version = process.versions.node) {
  const needed = manifest().engines.node.replace(/^>=/, "");
  const [haveMajor = 0, haveMinor = 0] = version.split(".").map(Number);
  const [needMajor = 0, needMinor = 0] = needed.split(".").map(Number);
  if (haveMajor < needMajor || (haveMajor === needMajor && haveMinor < needMinor)) {
    throw new Error(`Expected Node ${needed} or newer, got ${version}: https://nodejs.org`);
  }
  return version;
}

/**
 * Returns an environment with the pnpm version of package.json and the workspace's tools on PATH.
 * `npx` fetches pnpm once and keeps it. turbo only finds pnpm on PATH.
 *
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function toolchain() {
  const [pnpm = ""] = manifest().packageManager.split("+");
  // npx passes its own settings (npm_config_*) to the command, so this takes only PATH.
  const PATH = await run(
    "npx",
    ["--yes", "--prefer-offline", "--package", pnpm, "--", "node", "-p", "process.env.PATH"],
    {
      env: { ...process.env, ...quiet },
      stdoutOnly: true,
    },
  );
  return {
    ...process.env,
    ...quiet,
    ...headers(),
    PATH: `${PATH.trim()}:${join(root, "node_modules/.bin")}`,
  };
}

/**
 * Points node-gyp at the headers of this Node, if they exist. node-gyp would otherwise download
 * them, which fails on machines that reach only package registries.
 */
function headers() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node.h")) ? { npm_config_nodedir: prefix } : {};
}

/**
 * Installs exactly the packages of the lockfile. Uses the network only for packages that the store
 * lacks.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function install(env) {
  return run("pnpm", ["install", "--frozen-lockfile", "--prefer-offline"], { env });
}

/**
 * Builds the named packages, or all, with their dependencies.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} names
 */
export function build(env, names = []) {
  const filters = names.map((name) => `--filter=${name}`);
  return run(
    "turbo",
    ["run", "build", "--ui=stream", "--output-logs=errors-only", "--no-color", ...filters],
    {
      env,
    },
  );
}
