import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The files below a folder, relative to it, in order. What is not the author's is left out: installed packages, outputs,
 * hidden folders. Links are not followed: workspace packages link to each other in circles.
 *
 * @param {string} folder nothing is below a folder that is not there
 * @param {string} ending of the files' names
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
