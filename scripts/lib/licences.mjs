import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Collects the licences of the bundled libraries. Each licence must be published with the code.
 *
 * @param {readonly string[]} modules absolute paths
 * @param {string} folder the bundled package
 * @returns {string | undefined} `undefined` if the bundle has only the package's own code
 */
export function licencesOf(modules, folder) {
  const libraries = new Set(modules.filter((path) => path.includes("/node_modules/")).map(packageFolder));
  const texts = [...libraries].sort().map((library) => {
    const { name, version } = JSON.parse(readFileSync(join(library, "package.json"), "utf8"));
    const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].find((file) =>
      existsSync(join(library, file)),
    );
    if (file === undefined) throw new Error(`${name} has no licence file, and ${folder} bundles it`);
    return `${name} ${version}\n\n${readFileSync(join(library, file), "utf8").trim()}\n`;
  });
  return texts.length === 0 ? undefined : texts.join(`\n${"-".repeat(80)}\n\n`);
}

/** @param {string} path */
function packageFolder(path) {
  let folder = dirname(path);
  while (!existsSync(join(folder, "package.json")) || !/\/node_modules\/(@[^/]+\/)?[^/]+$/.test(folder)) {
    folder = dirname(folder);
  }
  return folder;
}
