import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "../lib/command.mjs";
import { filesBelow } from "../lib/files-below.mjs";
import { publicPackages } from "../lib/workspace.mjs";

/** The condition by which the workspace's own tests reach the sources. */
const SOURCE_CONDITION = "@cacheme/source";

/**
 * A package as the registry would get it.
 *
 * @typedef {import("../lib/workspace.mjs").Package & { tarball: string }} Packed
 */

/**
 * Where a package's tarball lies once {@link pack} has run.
 *
 * @param {string} folder
 * @returns {Packed[]}
 */
export function packedPackages(folder) {
  return publicPackages().map((pkg) => {
    const file = `${pkg.name.replace("@", "").replace("/", "-")}-${pkg.version}.tgz`;
    return { ...pkg, tarball: join(folder, file) };
  });
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Packed} packed
 */
export async function pack(env, { folder, tarball }) {
  await run("pnpm", ["pack", "--out", tarball], { cwd: folder, env });
}

/**
 * The tarball holds what it should and nothing else.
 *
 * @param {Packed} packed
 */
export async function checkContents({ folder, tarball }) {
  const files = (await run("tar", ["-tzf", tarball])).trim().split("\n");
  const manifest = await run("tar", ["-xzOf", tarball, "package/package.json"]);
  const faults = [
    ...["README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"]
      .filter((file) => !files.includes(`package/${file}`))
      .map((file) => `${file} is missing`),
    ...files.filter((file) => !isPublished(folder, file)).map((file) => `${file} does not belong there`),
    ...filesBelow(join(folder, "src"), ".ts")
      .filter((source) => !files.includes(`package/dist/${source.replace(/\.ts$/, ".js")}`))
      .map((source) => `the output of src/${source} is missing`),
  ];
  if (manifest.includes(SOURCE_CONDITION))
    faults.push(`package.json still has the condition ${SOURCE_CONDITION}`);
  if (manifest.includes("workspace:")) faults.push("package.json still has a workspace: range");
  if (faults.length > 0) throw new Error(`In ${tarball}:\n${faults.join("\n")}`);
  return `${files.length} files`;
}

/**
 * @param {string} folder
 * @param {string} file
 */
function isPublished(folder, file) {
  if (/^package\/(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file)) return true;
  const [, output] = /^package\/dist\/(.+?)(?:\.d\.ts|\.js)$/.exec(file) ?? [];
  return output !== undefined && existsSync(join(folder, "src", `${output}.ts`));
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Packed} packed
 */
export async function checkManifest(env, { tarball }) {
  await run("publint", ["run", "--strict", tarball], { env });
}

/**
 * The one rule set aside: from CommonJS in `module: node16` the package is out of reach, as an ES module is there. Where
 * `require` of an ES module works (`nodenext`, Node 20.19) it works; the consumers in packages/core/test/package show both.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {Packed} packed
 */
export async function checkTypesResolve(env, { tarball }) {
  await run(
    "attw",
    [
      tarball,
      "--no-definitely-typed",
      "--ignore-rules",
      "cjs-resolves-to-esm",
      "--format",
      "ascii",
      "--no-emoji",
    ],
    {
      env,
    },
  );
}
