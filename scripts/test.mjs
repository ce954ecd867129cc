#!/usr/bin/env node
// npm test: runs all checks and tests in a fresh clone that has only Node, npm and git.
// npm test -- --only=lint,tests runs some groups.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { checkChangesets } from "./checks/changesets.mjs";
import { checkComparison } from "./checks/comparison.mjs";
import { consumerSteps } from "./checks/consumers.mjs";
import { checkDevelopment } from "./checks/development.mjs";
import { environmentSteps } from "./checks/environments.mjs";
import { checkImports } from "./checks/imports.mjs";
import { checkInternals } from "./checks/internals.mjs";
import { checkLinks } from "./checks/links.mjs";
import { checkContents, checkManifest, checkTypesResolve, pack, packedPackages } from "./checks/packed.mjs";
import { checkPages } from "./checks/pages.mjs";
import { checkSnippets } from "./checks/snippets.mjs";
import { root, run } from "./lib/command.mjs";
import { complianceTable } from "./lib/compliance-table.mjs";
import { Report } from "./lib/report.mjs";
import { build, checkNodeVersion, install, toolchain } from "./lib/toolchain.mjs";
import { runVitest } from "./lib/vitest.mjs";
import { packages } from "./lib/workspace.mjs";

const inContinuousIntegration = /^(1|true)$/i.test(process.env.CI ?? "");

/** The folder for the files of this run, removed at its end. */
const folder = mkdtempSync(join(tmpdir(), "cacheme-test-"));
const skipsFile = join(folder, "skips.jsonl");
const complianceFile = join(folder, "compliance.jsonl");
const report = new Report();

/** @type {NodeJS.ProcessEnv} */
let env = process.env;

/**
 * The groups in their order. They need the result of `setup`. Within a group the steps are
 * independent, and two run concurrently, for two cores.
 *
 * @type {Record<string, () => Promise<void>>}
 */
const groups = {
  async lint() {
    report.heading("Style and structure");
    await report.run(
      [
        {
          name: "format and lint",
          check: async () => void (await run("biome", ["ci", "--colors=off", "."], { env })),
        },
        { name: "imports run one way", check: checkImports },
        {
          name: "comments open with their subject",
          // Loads a parser, which a fresh clone does not have before the set-up.
          check: async () => (await import("./checks/english.mjs")).checkEnglish(),
        },
        {
          name: "no dead file, export or dependency",
          check: async () => void (await run("knip", ["--no-progress"], { env })),
        },
        { name: "links between pages are valid", check: checkLinks },
        { name: "pages about the sources name what is there", check: checkInternals },
        { name: "pages open with two lines of summary", check: checkPages },
        { name: "CI and the development container fit the project", check: checkDevelopment },
        { name: "the comparison shows its results", check: checkComparison },
        { name: "every change has a changeset", check: () => checkChangesets(env) },
      ],
      2,
    );
  },

  async types() {
    report.heading("Types");
    await report.run(
      [
        ...packages().map(({ name, folder }) => ({
          name: `tests of ${name} compile`,
          check: () => compile(join(relative(root, folder), "tsconfig.test.json")),
        })),
        { name: "scripts compile", check: () => compile("tsconfig.scripts.json") },
        { name: "code on the pages compiles", check: () => checkSnippets(env) },
        { name: "type tests", check: () => runVitest(env, folder, ["*:types"]) },
      ],
      2,
    );
  },

  async tests() {
    report.heading("Unit and integration tests");
    await report.run([
      { name: "services for the tests", check: prepareServices },
      // The tests run alone: they use both cores, and real servers with deadlines.
      { name: "tests", check: () => runVitest(env, folder, ["!*:types"]) },
    ]);
    const table = await complianceTable(complianceFile);
    if (table !== undefined) console.log(`\nStorages and the contract\n\n${table}`);
  },

  async packages() {
    report.heading("Packages as published");
    const packed = packedPackages(folder);
    await report.run(packed.map((pkg) => ({ name: `${pkg.name} packs`, check: () => pack(env, pkg) })));
    await report.run(
      [
        ...packed.flatMap((pkg) => [
          { name: `${pkg.name} has the expected files`, check: () => checkContents(pkg) },
          { name: `${pkg.name} has a valid package.json`, check: () => checkManifest(env, pkg) },
          { name: `${pkg.name} has types that resolve`, check: () => checkTypesResolve(env, pkg) },
        ]),
      ],
      2,
    );
    report.heading("Programs with the installed packages");
    const { installation, programs } = consumerSteps(env, join(folder, "consumers"), packed);
    await report.run(installation);
    await report.run(programs, 2);
  },

  async environments() {
    report.heading("Environments: bundlers, test runners, frameworks, runtimes");
    const packed = packedPackages(folder);
    const missing = packed.filter(({ tarball }) => !existsSync(tarball));
    await report.run(missing.map((pkg) => ({ name: `${pkg.name} packs`, check: () => pack(env, pkg) })));
    await report.run(environmentSteps(env, join(folder, "environments"), packed), 2);
  },
};

/**
 * Prepares all groups. A source that does not compile stops nothing, because the other steps report
 * more about it.
 *
 * @returns {Promise<boolean>} whether the tools are available
 */
async function setup() {
  report.heading("Set-up");
  await report.run([{ name: "Node is new enough", check: () => checkNodeVersion() }]);
  await report.run([{ name: "pnpm, as package.json pins it", check: findTools }]);
  if (report.hasFailed) return false;
  await report.run([
    { name: "install the packages of the lockfile", check: async () => void (await install(env)) },
  ]);
  if (report.hasFailed) return false;
  await report.run([{ name: "every package builds", check: buildEverything }]);
  return true;
}

async function findTools() {
  env = {
    ...(await toolchain()),
    CACHEME_SKIPS_FILE: skipsFile,
    CACHEME_SERVICES_FILE: join(folder, "services.json"),
    CACHEME_COMPLIANCE_FILE: complianceFile,
  };
}

async function buildEverything() {
  await build(env);
}

/** @param {string} project */
async function compile(project) {
  await run("tsc", ["-p", project, "--pretty", "false"], { env });
}

async function prepareServices() {
  const found = await run(process.execPath, ["packages/test-services/dist/prepare.js"], { env });
  return found.trim().replace(/\n\s*/g, "; ");
}

/** Reads the skipped suites that packages/test-services has noted. @returns {import("./lib/report.mjs").Skip[]} */
function skips() {
  if (!existsSync(skipsFile)) return [];
  const lines = readFileSync(skipsFile, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return [...new Set(lines)].map((line) => {
    const { suite, reason, absent = false } = JSON.parse(line);
    return { what: suite, how: reason, absent };
  });
}

/** Returns the groups of the command line; default: all. */
function chosenGroups() {
  const names = process.argv
    .slice(2)
    .flatMap((word) => word.replace(/^--only=?/, "").split(","))
    .filter((name) => name !== "");
  const unknown = names.find((name) => !(name in groups));
  if (unknown !== undefined)
    throw new Error(`Expected a group, got "${unknown}": ${Object.keys(groups).join(", ")}`);
  return Object.entries(groups).filter(([name]) => names.length === 0 || names.includes(name));
}

try {
  const chosen = chosenGroups();
  if (await setup()) for (const [, runGroup] of chosen) await runGroup();
  report.close(skips(), { everyService: inContinuousIntegration });
  process.exitCode = report.hasFailed ? 1 : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
