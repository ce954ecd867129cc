import { join } from "node:path";
import { run } from "../lib/command.mjs";
import { publicPackages } from "../lib/workspace.mjs";

/** The export condition with which the workspace's own tests import the sources. */
const SOURCE_CONDITION = "@cacheme/source";

/**
 * A package with the tarball that is published.
 *
 * @typedef {import("../lib/workspace.mjs").Package & { tarball: string }} Packed
 */

/**
 * Lists the published packages with the paths of the tarballs that {@link pack} writes.
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
 * Checks that a tarball has the expected files and no others.
 *
 * @param {Packed} packed
 */
export async function checkContents({ tarball }) {
  const files = (await run("tar", ["-tzf", tarball])).trim().split("\n");
  const manifest = await run("tar", ["-xzOf", tarball, "package/package.json"]);
  const faults = [
    ...["README.md", "LICENSE", ...entryFiles(JSON.parse(manifest).exports)]
      .filter((file) => !files.includes(`package/${file}`))
      .map((file) => `${file} is missing`),
    ...files.filter((file) => !isPublished(file)).map((file) => `${file} does not belong there`),
  ];
  const modules = files.filter((file) => /\.c?js$/.test(file));
  if (modules.length > mostModules)
    faults.push(`${modules.length} modules; ${mostModules} load quickly enough`);
  if (manifest.includes(SOURCE_CONDITION))
    faults.push(`package.json still has the condition ${SOURCE_CONDITION}`);
  if (manifest.includes("workspace:")) faults.push("package.json still has a workspace: range");
  if (faults.length > 0) throw new Error(`In ${tarball}:\n${faults.join("\n")}`);
  return `${files.length} files`;
}

/**
 * The limit for modules of both formats. Each format has up to four entries and three shared
 * modules.
 */
const mostModules = 14;

/**
 * Returns the files in the exports: each entry in both formats, with its declarations.
 *
 * @param {Record<string, string | Record<string, Record<string, string>>>} exports
 */
function entryFiles(exports) {
  return Object.values(exports).flatMap((target) => {
    if (typeof target === "string") return [target.replace("./", "")];
    return ["import", "require"].flatMap((condition) =>
      ["types", "default"].map(
        (kind) => target[condition]?.[kind]?.replace("./", "") ?? `${condition}.${kind}`,
      ),
    );
  });
}

/** @param {string} file */
function isPublished(file) {
  return (
    /^package\/(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file) ||
    /^package\/dist\/([a-z\d-]+\.c?js|LICENSES\.txt|types\/.+\.d\.c?ts)$/.test(file)
  );
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Packed} packed
 */
export async function checkManifest(env, { tarball }) {
  await run("publint", ["run", "--strict", tarball], { env });
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Packed} packed
 */
export async function checkTypesResolve(env, { tarball }) {
  await run("attw", [tarball, "--no-definitely-typed", "--format", "ascii", "--no-emoji"], { env });
}
