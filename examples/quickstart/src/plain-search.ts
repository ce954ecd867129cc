import { type InstalledPackage, readInstalledPackage } from "./installed-package.js";
import type { Tree } from "./tree-node.js";

/** Reads each package once. */
export async function readAll(folders: readonly string[]): Promise<Map<string, InstalledPackage>> {
  const packages = new Map<string, InstalledPackage>();
  for (const folder of folders) packages.set(folder, await readInstalledPackage(folder));
  return packages;
}

/**
 * Computes the trees with a depth-first search in memory: short, simple, and without any code of
 * the job.
 */
export function expectedTrees(packages: ReadonlyMap<string, InstalledPackage>): Tree[] {
  return Array.from(packages.keys(), (start) => {
    const found = new Set<string>();
    const stack = [start];
    let bytes = 0;
    for (let folder = stack.pop(); folder !== undefined; folder = stack.pop()) {
      if (found.has(folder)) continue;
      found.add(folder);
      const { bytes: own = 0, dependencies = [] } = packages.get(folder) ?? {};
      bytes += own;
      stack.push(...dependencies);
    }
    return { packages: [...found].sort(), bytes };
  });
}
