import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The licences of the libraries whose modules went into a bundle: each asks to be kept with the code.
 *
 * @param {readonly string[]} modules absolute paths
 * @param {string} folder of the package that is bundled
 * @returns {string | undefined} `undefined` if there is nothing but the package's own code
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
