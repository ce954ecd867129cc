import { namesIn } from "./disk.js";
import { type Folder, hashed } from "./folder.js";

/** The folders that entries are in, as far as they are there. */
export async function foldersOf(folder: Folder): Promise<readonly string[]> {
  const names = await namesIn(folder.path);
  return names.filter((name) => /^[0-9a-f]{3}$/.test(name)).map((name) => `${folder.path}/${name}`);
}

/** What in a folder is called like an entry. */
export async function hashesIn(path: string): Promise<readonly string[]> {
  return (await namesIn(path)).filter((name) => hashed.test(name));
}
