#!/usr/bin/env node
// Bundles the output of `tsc -b` in the current package's dist/compiled to a few modules in dist,
// as ES modules and as CommonJS, with the declarations for both. Fewer modules load faster: each
// costs about a quarter of a millisecond.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { rolldown } from "rolldown";
import { licencesOf } from "./lib/licences.mjs";

const compiled = "dist/compiled";

/** @type {{ name: string, exports: Record<string, unknown>, dependencies?: object, peerDependencies?: object }} */
const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.values(manifest.exports).flatMap((target) => {
  const source = Object(target)["@cacheme/source"];
  return typeof source === "string" ? [source.replace(/^\.\/src\/(.*)\.ts$/, "$1")] : [];
});
/** A reference of a declaration to a file beside it. */
const relativeSpecifier = /(?:\bfrom |\bimport\()"(\.[^"]+)"/g;

const imported = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

for (const name of readdirSync("dist")) {
  if (name !== "compiled") rmSync(join("dist", name), { recursive: true });
}

const bundle = await rolldown({
  input: Object.fromEntries(entries.map((entry) => [entry, join(compiled, `${entry}.js`)])),
  platform: "node",
  external: (id) => isBuiltin(id) || imported.some((name) => id === name || id.startsWith(`${name}/`)),
  // A library's module without a used export has no effects.
  treeshake: { moduleSideEffects: false },
  onwarn(warning) {
    throw new Error(`${manifest.name}: ${warning.message}`);
  },
});
/** @type {string[]} */
const modules = [];
for (const format of /** @type {const} */ (["esm", "cjs"])) {
  const ending = format === "esm" ? "js" : "cjs";
  const { output } = await bundle.write({
    dir: "dist",
    format,
    entryFileNames: `[name].${ending}`,
    chunkFileNames: `shared.${ending}`,
    comments: { legal: true, annotation: true, jsdoc: false },
    exports: "named",
    plugins: format === "cjs" ? [{ name: "lazy-require", renderChunk: requiringLazily }] : [],
  });
  modules.push(...output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : [])));
}
await bundle.close();

for (const entry of entries) declare(`${entry}.d.ts`, new Set());

const licences = licencesOf(modules, process.cwd());
if (licences !== undefined) writeFileSync("dist/LICENSES.txt", licences);

/**
 * In CommonJS, libraries loaded on demand are required: Jest runs CommonJS in a context without
 * import().
 *
 * @param {string} code
 */
function requiringLazily(code) {
  return code.replace(/\bimport\(("[^"]+")\)/g, "Promise.resolve().then(() => require($1))");
}

/**
 * Copies a declaration file and its imports, once for each module format.
 *
 * @param {string} file relative to the compiled folder
 * @param {Set<string>} seen
 */
function declare(file, seen) {
  if (seen.has(file)) return;
  seen.add(file);
  const text = readFileSync(join(compiled, file), "utf8");
  const target = join("dist/types", file);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  writeFileSync(
    target.replace(/\.ts$/, ".cts"),
    text.replace(relativeSpecifier, (whole) => whole.replace(/\.js"$/, '.cjs"')),
  );
  for (const [, specifier = ""] of text.matchAll(relativeSpecifier)) {
    declare(relative(".", join(dirname(file), specifier.replace(/\.js$/, ".d.ts"))), seen);
  }
}
