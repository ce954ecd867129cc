import { type InstalledPackage, readInstalledPackage } from "./installed-package.js";
import type { Tree } from "./tree-node.js";

/** Reads every package once. */
export async function readAll(folders: readonly string[]): Promise<Map<string, InstalledPackage>> {
  const packages = new Map<string, InstalledPackage>();
  for (const folder of folders) packages.set(folder, await readInstalledPackage(folder));
  return packages;
}

/** The trees by a depth-first search over what is in memory: short, sure, and without anything of the job's own code. */
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
