import { join } from "node:path";
import { run } from "../lib/command.mjs";
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

/** The modules of both formats together. Each format has up to three entries and two modules that they share. */
const mostModules = 10;

/**
 * The files that the exports name: for each entry both formats, each with its declarations.
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
