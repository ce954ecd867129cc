import { filesIn, foldersIn } from "./disk.js";
import { type Folder, hashed } from "./folder.js";

/** The folders that entries are in, as far as they are there. */
export async function foldersOf(folder: Folder): Promise<readonly string[]> {
  const names = await foldersIn(folder.path);
  return names.filter((name) => /^[0-9a-f]{3}$/.test(name)).map((name) => `${folder.path}/${name}`);
}

/** The files in one of these folders that have the name of an entry of it. */
export async function hashesIn(path: string): Promise<readonly string[]> {
  const beginning = path.slice(-3);
  return (await filesIn(path)).filter((name) => hashed.test(name) && name.startsWith(beginning));
}

/** The hashes of the keys that have tickets, or had some a moment ago. */
export async function leasesIn(folder: Folder): Promise<readonly string[]> {
  return (await foldersIn(folder.leases)).filter((name) => hashed.test(name));
}
