import { pathToFileURL } from "node:url";
import { codeOf, StorageError } from "cacheme/driver";
import { lookAt, namesIn, writeFile } from "./disk.js";

/** The file that makes a folder the storage's own. */
export const marker = ".cacheme-file-storage";

const words = `This folder belongs to @cacheme/file, which removes expired and surplus entries from it.
Remove the folder as a whole to clear the cache. Keep nothing else in it.
`;

/** Names of a refused folder's content that an error shows, and how much of each. */
const shownNames = 5;
const shownLength = 60;

/**
 * Makes a folder the storage's own: an empty one gets the marker.
 *
 * @throws StorageError `CACHEME_FOREIGN_DATA` if there is something in the folder and no marker
 */
export async function claim(folder: string): Promise<void> {
  if (await isMarked(folder)) return;
  const names = await namesIn(folder);
  // Another process may have made the folder its own in between.
  if (names.length > 0 && !(await isMarked(folder))) throw foreignFolder(folder, names);
  try {
    await writeFile(`${folder}/${marker}`, [Buffer.from(words)], "wx");
  } catch (error) {
    if (codeOf(error) !== "EEXIST" || !(await isMarked(folder))) throw error;
  }
}

/** Whether the marker is there, as a file. A symbolic link may have come from anywhere. */
export async function isMarked(folder: string): Promise<boolean> {
  return (await lookAt(`${folder}/${marker}`))?.isFile() ?? false;
}

function foreignFolder(folder: string, names: readonly string[]): StorageError {
  const shown = names.slice(0, shownNames).map((name) => JSON.stringify(name.slice(0, shownLength)));
  const more = names.length - shown.length;
  const found = more > 0 ? `${shown.join(", ")} and ${more.toLocaleString("en")} more` : shown.join(", ");
  return new StorageError(
    "CACHEME_FOREIGN_DATA",
    `${pathToFileURL(folder).href} is not a folder of this storage: expected an empty folder or one with the file ` +
      `"${marker}", found ${found}. Give a folder that is empty or does not exist, such as ` +
      `${JSON.stringify(`${folder}/cache`)}; or, if the storage may use this one, make an empty file "${marker}" in it.`,
  );
}

/** Returns the error of a symbolic link in the place of a folder of the storage. */
export function linkInPlaceOf(folder: string): StorageError {
  return new StorageError(
    "CACHEME_FOREIGN_DATA",
    `${pathToFileURL(folder).href} is a symbolic link: expected a folder that the storage made. The storage writes and ` +
      "removes nothing behind a link. Remove the link; to keep the files elsewhere, give that folder to file().",
  );
}
