import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, run } from "./command.mjs";

/**
 * What every step of ours runs with. Nothing reports home, nothing colours a captured text, and pnpm does not wait for
 * an answer when it has to lay node_modules anew.
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
 * Refuses a Node that is older than the workspace's `engines` say.
 *
 * @param {string} [version]
 * @returns {string} the version in use
 */
export function checkNodeVersion(version = process.versions.node) {
  const needed = manifest().engines.node.replace(/^>=/, "");
  const [haveMajor = 0, haveMinor = 0] = version.split(".").map(Number);
  const [needMajor = 0, needMinor = 0] = needed.split(".").map(Number);
  if (haveMajor < needMajor || (haveMajor === needMajor && haveMinor < needMinor)) {
    throw new Error(`This is Node ${version}; the workspace needs ${needed} or newer: https://nodejs.org`);
  }
  return version;
}

/**
 * An environment in which `pnpm` is the version that package.json pins, and the workspace's own tools are on PATH.
 * `npx` fetches pnpm once and keeps it; turbo insists on finding it on PATH.
 *
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
export async function toolchain() {
  const [pnpm = ""] = manifest().packageManager.split("+");
  // npx hands its own settings (npm_config_*) to what it runs, so only PATH is taken from it.
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
 * Points node-gyp at the headers beside this Node, if they are there. Otherwise it downloads them, which fails where only
 * package registries can be reached.
 */
function headers() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node.h")) ? { npm_config_nodedir: prefix } : {};
}

/**
 * Lays node_modules exactly as the lockfile says; asks the network only for what the store lacks.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function install(env) {
  return run("pnpm", ["install", "--frozen-lockfile", "--prefer-offline"], { env });
}

/**
 * Builds the packages named (all when none is) with what they depend on.
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
