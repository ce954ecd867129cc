import { readdir } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const workspace: string = resolve(fileURLToPath(import.meta.url), "../../../..");

/** The folder in which pnpm keeps each version of each installed package. */
export const store: string = join(workspace, "node_modules", ".pnpm");

/** Returns the nodes' key of a package: its folder in the store, with slashes on all systems. */
export function folderName(path: string): string {
  return relative(store, path).split(sep).join("/");
}

/** Returns the folders of all installed packages, such as `chai@6.3.0/node_modules/chai`. */
export async function installedPackages(): Promise<string[]> {
  const found: string[] = [];
  // Beside each package are links to its dependencies, which have their own folders: only real
  // folders count.
  for (const place of await folders(store)) {
    const beside = join(store, place, "node_modules");
    for (const name of await folders(beside)) {
      if (name.startsWith("@")) {
        for (const rest of await folders(join(beside, name)))
          found.push(folderName(join(beside, name, rest)));
      } else if (name !== ".bin") {
        found.push(folderName(join(beside, name)));
      }
    }
  }
  return found.sort();
}

async function folders(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (cause) {
    if (path !== store) return [];
    throw new Error(
      `There are no installed packages in ${store}. Run \`npm run quickstart\`, which installs them.`,
      {
        cause,
      },
    );
  }
}
