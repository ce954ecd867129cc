import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { root, run } from "../lib/command.mjs";

/** @typedef {import("./packed.mjs").Packed} Packed */
/** @typedef {import("../lib/report.mjs").Step} Step */

const programs = join(root, "packages/core/test/package");

/** The packages in an installation of `cacheme`. Its libraries are bundled. */
const companions = ["cacheme"];

/** The programs that install storages beside `cacheme`, and the packages that they need. */
const everyStorage = [
  ...["file", "glide", "memcached", "mongodb", "mysql", "postgres", "redis", "sqlite", "testkit"].map(
    (name) => `@cacheme/${name}`,
  ),
  ...["@valkey/valkey-glide", "ioredis", "mongodb", "mysql2", "pg", "@types/pg"],
];
const storagePrograms = { "every-storage": everyStorage, "commonjs-every-storage": everyStorage };

/**
 * The programs with the source of another one, which they compile as CommonJS.
 *
 * @type {Readonly<Record<string, string>>}
 */
const sharedSources = {
  "commonjs-every-storage": "every-storage/main.ts",
  "commonjs-nodenext": "commonjs-node16/main.cts",
};

/**
 * The programs that esbuild compiles too, as tsx and other tools do. Its output has its own
 * helpers.
 */
const transpiledPrograms = ["experimental-decorators"];

/**
 * Installs the packed tarballs outside the checkout, as a user does. Their dependencies come from
 * pnpm's store or the registry.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder for the new consumer
 * @param {readonly Packed[]} packed
 * @param {readonly string[]} [storage] packages to install beside `cacheme`
 */
async function installConsumer(env, folder, packed, storage = []) {
  mkdirSync(folder, { recursive: true });
  const tarballs = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
  const copy = join(folder, "cacheme-copy.tgz");
  const core = packed.find(({ name }) => name === "cacheme");
  if (core === undefined) throw new Error("Expected a package cacheme among the packed ones");
  copyFileSync(core.tarball, copy);

  const { devDependencies = {} } = readJson(join(programs, "package.json"));
  writeJson(join(folder, "package.json"), {
    name: "consumer",
    private: true,
    type: "module",
    dependencies: {
      cacheme: tarballs.cacheme,
      "cacheme-copy": `file:${copy}`,
      ...Object.fromEntries(storage.map((name) => [name, tarballs[name] ?? devDependencies[name]])),
    },
    devDependencies: { "@types/node": devDependencies["@types/node"] },
  });
  // The script of GLIDE's protobufjs only prints a warning.
  writeJson(join(folder, "pnpm-workspace.yaml"), { packages: [], allowBuilds: { protobufjs: false } });
  const parameters = ["install", "--no-frozen-lockfile"];
  try {
    await run("pnpm", [...parameters, "--offline"], { cwd: folder, env });
  } catch {
    // On a new machine the store has no metadata of the registry.
    await run("pnpm", [...parameters, "--prefer-offline"], { cwd: folder, env });
  }
}

/**
 * Checks that `cacheme` installs no other packages than the listed ones.
 *
 * @param {string} folder
 */
function checkCompanions(folder) {
  const installed = readdirSync(join(folder, "node_modules/.pnpm"))
    .filter((name) => !["node_modules", "lock.yaml"].includes(name))
    .map((name) => name.replace(/(.)@.*$/, "$1").replace("+", "/"))
    .filter((name) => !["@types/node", "undici-types"].includes(name));
  const strangers = installed.filter((name) => !companions.includes(name));
  if (strangers.length > 0) {
    throw new Error(
      `Expected no other packages with cacheme, got ${strangers.join(", ")}: scripts/checks/consumers.mjs lists the expected ones`,
    );
  }
  return `${new Set(installed).size} packages`;
}

/**
 * Returns the steps that install the consumers, check their packages, and compile and run each
 * program with each supported version of TypeScript.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder
 * @param {readonly Packed[]} packed
 * @returns {{ installation: Step[], programs: Step[] }} run `installation` before `programs`
 */
export function consumerSteps(env, folder, packed) {
  const alone = join(folder, "alone");
  const installation = [
    { name: "cacheme installs outside the checkout", check: () => installConsumer(env, alone, packed) },
    { name: "cacheme installs no other package", check: () => checkCompanions(alone) },
    ...Object.entries(storagePrograms).map(([program, storage]) => ({
      name: `the packages of ${program} install outside the checkout`,
      check: () => installConsumer(env, join(folder, program), packed, storage),
    })),
  ];
  return {
    installation,
    programs: [
      ...programNames().flatMap((program) => {
        const consumer = program in storagePrograms ? join(folder, program) : alone;
        return compilers().map((compiler) => ({
          name: `${program} with ${compiler.replace("typescript-", "TypeScript ")}`,
          check: () => checkProgram(env, consumer, program, compiler),
        }));
      }),
      ...transpiledPrograms.map((program) => ({
        name: `${program} with esbuild`,
        check: () => checkTranspiled(env, alone, program),
      })),
    ],
  };
}

function compilers() {
  return readdirSync(join(programs, "node_modules")).filter((name) => name.startsWith("typescript-"));
}

function programNames() {
  return readdirSync(programs).filter((name) => existsSync(join(programs, name, "tsconfig.json")));
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} consumer
 * @param {string} program
 * @param {string} compiler
 */
async function checkProgram(env, consumer, program, compiler) {
  const folder = copyProgram(program, join(consumer, `${program}-${compiler}`));
  await run(process.execPath, [join(programs, "node_modules", compiler, "bin/tsc"), "-p", folder], {
    cwd: folder,
    env,
  });
  await run(process.execPath, [join(folder, "out", outputOf(folder))], { cwd: folder, env });
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} consumer
 * @param {string} program
 */
async function checkTranspiled(env, consumer, program) {
  const folder = copyProgram(program, join(consumer, `${program}-esbuild`));
  const { build } = createRequire(join(programs, "package.json"))("esbuild");
  const outdir = join(folder, "out");
  await build({ entryPoints: [join(folder, sourceOf(folder))], outdir, format: "esm", logLevel: "silent" });
  await run(process.execPath, [join(outdir, outputOf(folder))], { cwd: folder, env });
}

/**
 * Copies a program into a new folder.
 *
 * @param {string} program
 * @param {string} folder
 */
function copyProgram(program, folder) {
  cpSync(join(programs, program), folder, { recursive: true });
  const shared = sharedSources[program];
  if (shared !== undefined) copyFileSync(join(programs, shared), join(folder, "main.cts"));
  return folder;
}

/** @param {string} folder */
function sourceOf(folder) {
  return existsSync(join(folder, "main.cts")) ? "main.cts" : "main.ts";
}

/** @param {string} folder */
function outputOf(folder) {
  return basename(sourceOf(folder)).replace(/\.(c?)ts$/, ".$1js");
}

/**
 * @param {string} path
 * @returns {Record<string, Record<string, string>>}
 */
function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/**
 * @param {string} path
 * @param {object} value written as JSON, which is valid YAML
 */
function writeJson(path, value) {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
