// All bundlers with their default settings. The options here only name the source, the target, and
// Node.js.
import { basename, dirname } from "node:path";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { rspack } from "@rspack/core";
import { build as esbuild } from "esbuild";
import { rolldown } from "rolldown";
import { rollup } from "rollup";
import { createLogger, build as vite } from "vite";
import webpack from "webpack";

/**
 * @typedef {object} Bundler
 * @property {string} name
 * @property {"mjs" | "cjs"} ending
 * @property {(source: string, target: string) => Promise<string[]>} build resolves to the warnings
 */

/** @type {Bundler[]} */
export const bundlers = [
  {
    name: "esbuild as ES module",
    ending: "mjs",
    build: (source, target) => withEsbuild(source, target, "esm"),
  },
  {
    name: "esbuild as CommonJS",
    ending: "cjs",
    build: (source, target) => withEsbuild(source, target, "cjs"),
  },
  { name: "Rollup", ending: "mjs", build: withRollup },
  { name: "Rolldown", ending: "mjs", build: (source, target) => withRolldown(source, target, "esm") },
  {
    name: "Rolldown as CommonJS",
    ending: "cjs",
    build: (source, target) => withRolldown(source, target, "cjs"),
  },
  { name: "webpack", ending: "mjs", build: (source, target) => packed(webpack, source, target) },
  { name: "Rspack", ending: "mjs", build: (source, target) => packed(rspack, source, target) },
  { name: "Vite for a server", ending: "mjs", build: withVite },
];

async function withEsbuild(source, target, format) {
  const { warnings } = await esbuild({
    entryPoints: [source],
    outfile: target,
    bundle: true,
    minify: true,
    platform: "node",
    format,
    logLevel: "silent",
  });
  return warnings.map(({ text }) => text);
}

async function withRollup(source, target) {
  const warnings = [];
  const bundle = await rollup({
    input: source,
    // Rollup by itself supports neither packages nor CommonJS, which ioredis is.
    plugins: [nodeResolve({ preferBuiltins: true }), commonjs(), json()],
    onwarn: ({ code, ids, message }) => {
      // The modules of ioredis import each other in circles.
      const isOfIoredis = code === "CIRCULAR_DEPENDENCY" && ids.every((id) => id.includes("/ioredis/"));
      if (!isOfIoredis) warnings.push(message);
    },
  });
  await bundle.write({ ...outputAt(target), format: "esm" });
  await bundle.close();
  return warnings;
}

async function withRolldown(source, target, format) {
  const warnings = [];
  const bundle = await rolldown({
    input: source,
    platform: "node",
    onwarn: ({ message }) => warnings.push(message),
  });
  await bundle.write({ ...outputAt(target), format, minify: true });
  await bundle.close();
  return warnings;
}

/** Modules that are imported on demand become files beside the bundle. */
function outputAt(target) {
  return { dir: dirname(target), entryFileNames: basename(target) };
}

/** webpack and Rspack have the same interface. */
function packed(bundler, source, target) {
  const compiler = bundler({
    mode: "production",
    target: "node20",
    entry: source,
    experiments: { outputModule: true },
    output: {
      path: dirname(target),
      filename: basename(target),
      library: { type: "module" },
    },
  });
  return new Promise((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error) return reject(error);
      const { errors = [], warnings = [] } = stats.toJson({ all: false, errors: true, warnings: true });
      if (errors.length > 0) return reject(new Error(errors.map(({ message }) => message).join("\n")));
      compiler.close(() => resolve(warnings.map(({ message }) => message)));
    });
  });
}

async function withVite(source, target) {
  const warnings = [];
  const logger = createLogger("silent");
  logger.warn = (message) => warnings.push(message);
  logger.warnOnce = logger.warn;
  await vite({
    configFile: false,
    logLevel: "warn",
    customLogger: logger,
    ssr: { noExternal: true },
    build: {
      ssr: source,
      outDir: dirname(target),
      emptyOutDir: false,
      minify: true,
      rolldownOptions: { output: { entryFileNames: basename(target) } },
    },
  });
  return warnings;
}
