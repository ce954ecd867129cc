import { type InstalledPackage, readInstalledPackage } from "./installed-package.js";
import type { Tree } from "./tree-node.js";

/** The number of packages that were read from disk. */
export let reads = 0;

/**
 * Computes the same tree without a cache: a plain search that reads each package from disk. Within
 * a search no package is read twice, because cycles would never end. The next search starts without
 * that knowledge.
 */
export async function searchTree(folder: string): Promise<Tree> {
  const found = new Map<string, InstalledPackage>();
  for (let level = [folder]; level.length > 0; ) {
    const packages = await Promise.all(level.map(readInstalledPackage));
    reads += packages.length;
    for (const [index, each] of packages.entries()) found.set(level[index] ?? "", each);
    const next = new Set(packages.flatMap(({ dependencies }) => dependencies));
    level = [...next].filter((dependency) => !found.has(dependency));
  }
  const bytes = [...found.values()].reduce((sum, each) => sum + each.bytes, 0);
  return { packages: [...found.keys()].sort(), bytes };
}
