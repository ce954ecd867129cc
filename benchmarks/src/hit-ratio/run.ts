import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { PolicyName } from "@cacheme/memory";
import { capacityCharts } from "./capacity-charts.js";
import { type Reference, readReferences } from "./reference.js";
import { hitRatio, libraries, ours } from "./replay.js";
import { type Result, report } from "./report.js";
import { readTrace, type Trace } from "./trace.js";

const usage = `npm run bench:hit-ratio -- --traces DIR    every pair of DIR/hit-ratios.csv
npm run bench:hit-ratio -- FILE... --capacity N [--capacity N ...]

  --only NAME      only this trace of DIR (may be repeated)
  --with LIBRARY   replay it too: ${Object.keys(libraries).join(", ")} (may be repeated; otherwise the csv's figures stand)
  --policy NAME    tlfu (default), lru, lfu, fifo
  --seed N         what repeats the policy's draws (default 1)
  --chart          draw hit ratio by capacity into docs/memory/hit-ratio.svg`;

const { values: flags, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    traces: { type: "string" },
    only: { type: "string", multiple: true },
    capacity: { type: "string", multiple: true, default: [] },
    with: { type: "string", multiple: true, default: [] },
    policy: { type: "string", default: "tlfu" },
    seed: { type: "string", default: "1" },
    chart: { type: "boolean", default: false },
  },
});

/** A trace with the capacities to replay it at. */
interface Task {
  readonly file: string;
  readonly pairs: readonly Reference[];
}

const tasks = flags.traces === undefined ? filesGiven() : pairsOfFolder(flags.traces);
if (tasks.length === 0) {
  console.error(usage);
  process.exitCode = 1;
} else {
  const results = await replayAll(tasks);
  console.log(report(results));
  if (flags.chart) draw(results);
}

function filesGiven(): Task[] {
  const capacities = flags.capacity.map(Number);
  if (capacities.length === 0) return [];
  return files.map((file) => ({
    file,
    pairs: capacities.map((capacity) => ({ trace: file, capacity, ratios: new Map() })),
  }));
}

function pairsOfFolder(folder: string): Task[] {
  const table = join(folder, "hit-ratios.csv");
  if (!existsSync(table))
    throw new Error(`No hit-ratios.csv in ${folder}: give trace files and --capacity instead`);
  const references = readReferences(table);
  const names = flags.only ?? [...new Set(references.map(({ trace }) => trace))];
  return names.map((name) => ({
    file: join(folder, `${name}.u32.gz`),
    pairs: references.filter(({ trace }) => trace === name),
  }));
}

async function replayAll(all: readonly Task[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const { file, pairs } of all) {
    const trace = readTrace(file);
    for (const pair of pairs) results.push(await replayPair(trace, pair));
  }
  return results;
}

async function replayPair(trace: Trace, { capacity, ratios }: Reference): Promise<Result> {
  const others = new Map(ratios);
  for (const name of flags.with) {
    const library = libraries[name];
    if (library === undefined)
      throw new Error(`--with ${name}: known are ${Object.keys(libraries).join(", ")}`);
    others.set(name, await hitRatio(library, trace, capacity));
  }
  // The cache itself refuses an unknown name.
  const reader = ours(flags.policy as PolicyName, Number(flags.seed));
  return { trace: trace.name, capacity, ours: await hitRatio(reader, trace, capacity), others };
}

/** The chart goes into the docs folder, for the package's README. */
function draw(results: readonly Result[]): void {
  const folder = fileURLToPath(new URL("../../../docs/memory/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "hit-ratio.svg"), capacityCharts(results));
}
