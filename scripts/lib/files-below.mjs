import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Lists the files below a folder, with relative paths, in order. It leaves out installed packages,
 * outputs and hidden folders. It follows no links, because workspace packages link to each other in
 * circles.
 *
 * @param {string} folder a missing folder has no files
 * @param {string} ending the end of the files' names
 * @returns {string[]}
 */
export function filesBelow(folder, ending) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    if (entry.isFile()) return entry.name.endsWith(ending) ? [entry.name] : [];
    if (!entry.isDirectory() || /^(\..*|node_modules|dist)$/.test(entry.name)) return [];
    return filesBelow(join(folder, entry.name), ending).map((name) => join(entry.name, name));
  });
}
