#!/usr/bin/env node
// npm run simulate -- --seed 1 --schedules 100000: runs random schedules against simulated clusters.
// --setup PATTERN tries the set-ups whose names match. --path P repeats one schedule.
// --plant NAME plants a fault. --plants tries each, or those whose names match --plant, and prints the
// table of the simulation's page.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { bundle } from "../packages/testkit/test/simulation/bundle.mjs";
import { plants } from "../packages/testkit/test/simulation/plants.mjs";

const { values: given } = parseArgs({
  options: {
    seed: { type: "string" },
    schedules: { type: "string", default: "20000" },
    path: { type: "string" },
    setup: { type: "string" },
    plant: { type: "string" },
    plants: { type: "boolean", default: false },
  },
});

/** The schedules within which a planted fault must be found. */
const limit = 5_000;

const folder = mkdtempSync(join(tmpdir(), "cacheme-simulation-"));
try {
  if (given.plants) await tryPlants();
  else await tryOnce();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function tryOnce() {
  const plant = plants.find(({ name }) => name === given.plant);
  if (given.plant !== undefined && plant === undefined) {
    throw new Error(
      `Expected a planted fault, got "${given.plant}": ${plants.map(({ name }) => name).join("; ")}`,
    );
  }
  await bundle(folder, plant?.edits);
  const report = await run({
    seed: given.seed === undefined ? undefined : Number(given.seed),
    schedules: Number(given.schedules),
    path: given.path,
    setup: given.setup,
    parts: { serverFaults: plant?.serverFaults },
  });
  const { seed, schedules, answered, schedulesPerSecond, broken } = report;
  console.log(
    `${schedules} schedules of seed ${seed}, ${answered} reads answered, ${schedulesPerSecond} schedules per second`,
  );
  if (broken === undefined) return;
  console.log(`Broken in the set-up "${broken.setup}", path ${broken.path}:\n${broken.lines.join("\n")}`);
  process.exitCode = 1;
}

/** Prints after how many schedules each planted fault is found, for three seeds. */
async function tryPlants() {
  console.log("| planted fault | promise | schedules, by seed |\n| --- | --- | --- |");
  const pattern = new RegExp(given.plant ?? "");
  for (const { name, edits, serverFaults } of plants.filter(({ name }) => pattern.test(name))) {
    await bundle(folder, edits);
    const reports = [];
    for (const seed of [1, 2, 3]) {
      reports.push(await run({ seed, schedules: limit, shrink: false, parts: { serverFaults } }));
    }
    const promises = reports.flatMap(({ broken }) => broken?.violations[0]?.promise ?? []);
    const found = reports.map(({ broken, schedules }) =>
      broken === undefined ? "not found" : schedules.toLocaleString("en"),
    );
    console.log(`| ${name} | ${[...new Set(promises)].join(", ")} | ${found.join(" / ")} |`);
    if (promises.length < reports.length) process.exitCode = 1;
  }
}

/**
 * The report of `simulate` in `@cacheme/testkit/cluster`.
 *
 * @typedef {object} Report
 * @property {number} seed
 * @property {number} schedules
 * @property {number} answered
 * @property {number} schedulesPerSecond
 * @property {{ setup: string, path: string, lines: string[], violations: { promise: number }[] }} [broken]
 */

/**
 * @param {object} options
 * @returns {Promise<Report>}
 */
async function run(options) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(folder, "run.mjs"), JSON.stringify(options)],
    {
      maxBuffer: 2 ** 28,
    },
  );
  return JSON.parse(stdout);
}
