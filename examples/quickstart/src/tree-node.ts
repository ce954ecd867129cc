import { get, getAll, LoadCycleError, Node, type NodeMeta } from "cacheme";
import { caches } from "./caches.js";
import { PackageNode } from "./package-node.js";

/** A package with all its dependencies, direct and indirect. */
export interface Tree {
  /** The folders of all its packages, in alphabetical order. */
  readonly packages: readonly string[];
  /** Their total size on disk; each package counts once. */
  readonly bytes: number;
}

/** The whole tree of an installed package, combined from the trees of its dependencies. */
export class TreeNode extends Node<Tree> {
  static override meta: NodeMeta = { name: "tree", caches };

  constructor(readonly folder: string) {
    super();
  }

  key() {
    return this.folder;
  }

  override async load() {
    const packages = [...(await this.#members())].sort();
    const sized = await getAll(packages.map((folder) => new PackageNode(folder)));
    return { packages, bytes: sized.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /**
   * Some packages depend on each other. A tree that waits for itself would wait for ever, so
   * Cacheme rejects the read that would close the cycle. The load with that read then searches
   * package by package. A tree is therefore either the whole trees of all its dependencies or a
   * whole search, in whatever order trees load.
   */
  async #members(): Promise<Set<string>> {
    const { dependencies } = await get(new PackageNode(this.folder));
    try {
      const trees = await getAll(dependencies.map((folder) => new TreeNode(folder)));
      return new Set([this.folder, ...trees.flatMap((tree) => tree.packages)]);
    } catch (error) {
      if (error instanceof LoadCycleError) return searchFrom(this.folder);
      throw error;
    }
  }
}

async function searchFrom(folder: string): Promise<Set<string>> {
  const found = new Set([folder]);
  // A loop over a set also visits the members that are added during the loop.
  for (const next of found) {
    const { dependencies } = await get(new PackageNode(next));
    for (const dependency of dependencies) found.add(dependency);
  }
  return found;
}
