import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { root, run } from "../lib/command.mjs";

/** @typedef {import("./packed.mjs").Packed} Packed */
/** @typedef {import("../lib/report.mjs").Step} Step */

/** @typedef {{ name: string, dependencies?: Record<string, string>, cacheme?: { builds?: string[] } }} Manifest */

/** Modules for the checks of several programs. */
const support = join(root, "environments/support");

/**
 * Returns a step for each program of environments/ and examples/ with a check. The step installs
 * the program outside the checkout with the packed tarballs, and runs its check.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder for the installed programs
 * @param {readonly Packed[]} packed
 * @param {readonly string[]} [chosen] the names of the programs to run; default: all
 * @returns {Step[]}
 */
export function environmentSteps(env, folder, packed, chosen = []) {
  return ["environments", "examples"]
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
    .filter((program) => existsSync(join(program, "check.mjs")))
    .filter((program) => chosen.length === 0 || chosen.includes(basename(program)))
    .map((program) => ({
      name: basename(program),
      check: () => checkEnvironment(env, program, join(folder, basename(program)), packed),
    }));
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} program
 * @param {string} folder
 * @param {readonly Packed[]} packed
 */
async function checkEnvironment(env, program, folder, packed) {
  cpSync(program, folder, { recursive: true, filter: (path) => basename(path) !== "node_modules" });
  const tarballs = Object.fromEntries(packed.map(({ name, tarball }) => [name, tarball]));
  const own = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
  const path = join(folder, "package.json");
  /** @type {Manifest} */
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (own[name] !== undefined) Object.assign(manifest.dependencies ?? {}, { [name]: own[name] });
  }
  writeFileSync(path, `${JSON.stringify(manifest, undefined, 2)}\n`);
  const builds = Object.fromEntries((manifest.cacheme?.builds ?? []).map((name) => [name, true]));
  const settings = {
    packages: ["."],
    // A packed package depends on versions of the others that are not published yet.
    overrides: own,
    allowBuilds: builds,
    strictDepBuilds: false,
    pmOnFail: "ignore",
  };
  writeFileSync(join(folder, "pnpm-workspace.yaml"), JSON.stringify(settings)); // JSON is valid YAML.
  const install = ["install", "--no-frozen-lockfile", "--prefer-offline"];
  await run("pnpm", install, { cwd: folder, env });
  const printed = await run(process.execPath, ["check.mjs"], {
    cwd: folder,
    env: { ...env, CACHEME_TARBALLS: JSON.stringify(tarballs), CACHEME_SUPPORT: support },
    stdoutOnly: true,
  });
  return printed.trim().split("\n").at(-1) ?? "";
}
