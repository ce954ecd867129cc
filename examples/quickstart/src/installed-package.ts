import { lstat, readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { folderName, store, workspace } from "./workspace.js";

/** An installed package, without its dependencies. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** The size of its own files on disk. */
  readonly bytes: number;
  /** The folders of its dependencies. */
  readonly dependencies: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Reads a package and its size: the work that is worth caching. */
export async function readInstalledPackage(folder: string): Promise<InstalledPackage> {
  const path = join(store, folder);
  const [manifest, bytes] = await Promise.all([readManifest(path), weigh(path)]);
  const names = new Set(
    [manifest.dependencies, manifest.optionalDependencies, manifest.peerDependencies].flatMap((group) =>
      Object.keys(group ?? {}),
    ),
  );
  const found = await Promise.all(Array.from(names, (name) => resolve(name, path)));
  const dependencies = found.filter((dependency) => dependency !== undefined);
  return { name: manifest.name, version: manifest.version, bytes, dependencies };
}

async function readManifest(path: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(path, "package.json"), "utf8"));
}

async function weigh(path: string): Promise<number> {
  const entries = await readdir(path, { withFileTypes: true });
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) return weigh(inside);
      return entry.isFile() ? (await lstat(inside)).size : 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * Finds a dependency like Node: in the node_modules of the package's folder, or of a folder above
 * it. Returns `undefined` if it is not installed, such as an optional package for another system or
 * an unused peer.
 */
async function resolve(name: string, from: string): Promise<string | undefined> {
  for (let at = from; at.startsWith(workspace); at = dirname(at)) {
    if (basename(at) === "node_modules") continue;
    try {
      const manifest = await realpath(join(at, "node_modules", name, "package.json"));
      return folderName(dirname(manifest));
    } catch {
      // The package is not here: look one folder up.
    }
  }
  return undefined;
}
