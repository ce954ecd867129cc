// Bundles the simulation with the sources of Cacheme, and with a planted fault in them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const packages = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * A fault to plant in a source.
 *
 * @typedef {object} Edit
 * @property {string} file relative to `packages`
 * @property {string} find a part of the file that occurs once
 * @property {string} replace
 */

/**
 * Writes the module `run.js` to a folder.
 *
 * @param {string} folder
 * @param {readonly Edit[]} [edits]
 */
export async function bundle(folder, edits = []) {
  const planted = new Set();
  const built = await rolldown({
    input: fileURLToPath(new URL("run.ts", import.meta.url)),
    platform: "node",
    tsconfig: false,
    resolve: { conditionNames: ["@cacheme/source", "import", "node"] },
    plugins: [
      {
        name: "plant",
        load(id) {
          const own = edits.filter(({ file }) => id === join(packages, file));
          if (own.length === 0) return undefined;
          for (const edit of own) planted.add(edit);
          return { code: own.reduce(withEdit, readFileSync(id, "utf8")), moduleType: "ts" };
        },
      },
    ],
  });
  await built.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "[name].mjs",
  });
  await built.close();
  const missing = edits.find((edit) => !planted.has(edit));
  if (missing !== undefined)
    throw new Error(`The simulation does not load ${missing.file}: update plants.mjs.`);
}

/**
 * @param {string} text
 * @param {Edit} edit
 */
function withEdit(text, { file, find, replace }) {
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(
      `${file} has ${parts.length - 1} places like this, expected one: update plants.mjs.\n${find}`,
    );
  }
  return parts.join(replace);
}
