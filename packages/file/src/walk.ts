import { namesIn } from "./disk.js";
import { type Folder, hashed } from "./folder.js";

/** The folders that entries are in, in order, as far as they are there. */
export async function* foldersOf(folder: Folder, from = 0, to = 256): AsyncGenerator<string> {
  for (let first = from; first < to; first++) {
    const path = `${folder.path}/${first.toString(16).padStart(2, "0")}`;
    for (const name of await namesIn(path)) if (/^[0-9a-f]$/.test(name)) yield `${path}/${name}`;
  }
}

/** What in a folder is called like an entry. */
export async function hashesIn(path: string): Promise<readonly string[]> {
  return (await namesIn(path)).filter((name) => hashed.test(name));
}
