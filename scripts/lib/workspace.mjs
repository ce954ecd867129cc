import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";

/**
 * A package below `packages/`.
 *
 * @typedef {object} Package
 * @property {string} name the name for imports
 * @property {string} version
 * @property {string} folder absolute
 * @property {boolean} isPublic published to the registry
 */

/** @returns {Package[]} the packages below `packages/`, by folder */
export function packages() {
  const folder = join(root, "packages");
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      return { name: manifest.name, version: manifest.version, folder, isPublic: manifest.private !== true };
    });
}

/** @returns {Package[]} the packages that are published */
export function publicPackages() {
  return packages().filter(({ isPublic }) => isPublic);
}
