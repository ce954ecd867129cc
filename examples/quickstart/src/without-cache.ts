import { type InstalledPackage, readInstalledPackage } from "./installed-package.js";
import type { Tree } from "./tree-node.js";

/** How often a package was read from disk. */
export let reads = 0;

/**
 * The same tree with no cache: a plain search that reads every package on its way from disk. Within one search no package is
 * read twice, or cycles would never end; the next search knows nothing of it.
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
