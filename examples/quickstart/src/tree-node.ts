import { get, getAll, LoadCycleError, Node, type NodeMeta } from "cacheme";
import { caches } from "./caches.js";
import { PackageNode } from "./package-node.js";

/** A package with everything that it depends on, directly or through others. */
export interface Tree {
  /** The folders of all its packages, in alphabetical order. */
  readonly packages: readonly string[];
  /** What they weigh on disk together; each counts once. */
  readonly bytes: number;
}

/** The whole tree of one installed package: the trees of its dependencies, put together. */
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
   * Some packages depend on each other. A tree that waits for itself through others would wait for ever, so Cacheme refuses
   * the read that would close the circle. Whoever made that read takes the long way, package by package. So a tree is
   * either the whole trees of all its dependencies or a whole search: never a part, whichever tree came first.
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
  // A set hands out what is added while it is walked through.
  for (const next of found) {
    const { dependencies } = await get(new PackageNode(next));
    for (const dependency of dependencies) found.add(dependency);
  }
  return found;
}
