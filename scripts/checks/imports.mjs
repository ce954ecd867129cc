import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { filesBelow } from "../lib/files-below.mjs";
import { packages } from "../lib/workspace.mjs";

/**
 * The folders and files of `packages/core/src`, top down. A file may import from its own line and
 * from the lines below it. Within a folder, files may import each other without cycles, which the
 * linter checks.
 */
const coreLayers = [
  "index",
  "default",
  "cacheme",
  "cacheme-options",
  "warming-space",
  "fresh-space",
  "saving-space",
  "space",
  "space-parts",
  "memoize",
  "provided",
  "define-node",
  "warm",
  "read",
  "write",
  "prefetch",
  "request",
  "runtime",
  "tags",
  "stats",
  "tiers",
  "storages",
  "driver",
  "bus",
  "storage",
  "journal",
  "node",
  "entry",
  "serializer",
  "realm",
  "events",
  "background",
  "option-checks",
  "duration",
  "import-installed",
  "errors",
  "cached-error",
  "snapshot-report",
  "hash",
  "shown-key",
  "clock",
  "deadlines",
  "timers",
  "grouped",
  "shared-state",
];

/** The same for `packages/memory/src`: the cache on top, the table of slots at the bottom. */
const memoryLayers = ["index", "cache", "policy", "expiry", "checks", "table", "clock", "random"];

/** @type {Readonly<Record<string, readonly string[]>>} */
const layersOf = { cacheme: coreLayers, "@cacheme/memory": memoryLayers };

/** Declarations of imports and exports begin a line. In a comment's example they do not. */
const declarations = /^(?:import|export)\b[^"';]*?(?:\bfrom\s+)?"([^"]+)"/gm;
const dynamicImports = /\bimport\(\s*"([^"]+)"\s*\)/g;

/**
 * Checks that sources import in one direction only: downwards within core and memory, relative
 * paths within a package, and other packages through their exports.
 *
 * @returns {string}
 */
export function checkImports() {
  const all = packages();
  /** @type {string[]} */
  const faults = [];
  let count = 0;

  for (const { name, folder } of all) {
    const layers = layersOf[name];
    for (const file of filesBelow(folder, ".ts").filter(isSourceOrTest)) {
      const text = readFileSync(join(folder, file), "utf8");
      for (const specifier of specifiersOf(text)) {
        count += 1;
        const fault = specifier.startsWith(".")
          ? faultOfRelative(folder, file, specifier, layers)
          : faultOfPackage(all, specifier);
        if (fault !== undefined) faults.push(`${name}: ${file} imports "${specifier}": ${fault}`);
      }
    }
  }
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return `${count} imports`;
}

/** @param {string} text */
function specifiersOf(text) {
  return [...text.matchAll(declarations), ...text.matchAll(dynamicImports)].map(
    ([, specifier = ""]) => specifier,
  );
}

/**
 * @param {string} folder
 * @param {string} file
 * @param {string} specifier
 * @param {readonly string[] | undefined} layers
 */
function faultOfRelative(folder, file, specifier, layers) {
  const target = relative(folder, resolve(folder, dirname(file), specifier));
  if (target.startsWith("..")) return "it leaves the package; import the other package by its name";
  if (layers === undefined || !isSource(file)) return undefined;
  if (!isSource(target)) return "sources import sources only";

  const [from, to] = [layerOf(file), layerOf(target)];
  const unknown = [from, to].find((name) => !layers.includes(name));
  if (unknown !== undefined) return `"${unknown}" has no layer yet in scripts/checks/imports.mjs`;
  if (layers.indexOf(to) < layers.indexOf(from)) return `imports run downwards, and ${to} is above ${from}`;
  return undefined;
}

/** @param {string} path */
function isSourceOrTest(path) {
  return isSource(path) || path.startsWith(`test${sep}`);
}

/** @param {string} path */
function isSource(path) {
  return path.startsWith(`src${sep}`);
}

/** @param {string} path */
function layerOf(path) {
  return (path.split(sep)[1] ?? "").replace(/\.[jt]s$/, "");
}

/**
 * @param {readonly import("../lib/workspace.mjs").Package[]} all
 * @param {string} specifier
 */
function faultOfPackage(all, specifier) {
  const other = all.find(({ name }) => specifier.startsWith(`${name}/`));
  if (other === undefined) return undefined;
  const subpath = `.${specifier.slice(other.name.length)}`;
  const { exports } = JSON.parse(readFileSync(join(other.folder, "package.json"), "utf8"));
  return subpath in exports ? undefined : `${other.name} does not export "${subpath}"`;
}
