import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { barChart } from "./bar-chart.js";
import type { Pauses } from "./pause.js";
import { subjects } from "./subject.js";
import { workloads } from "./workloads.js";

/**
 * `npm run bench:memory [-- --quick] [--rounds N] [--size N ...] [--only LIBRARY ...] [--traces
 * DIR]` measures the time of an operation, the bytes of an entry and the length of pauses for each
 * library, as ratios to the first. It prints tables and draws them into the docs folder. `--quick`
 * runs three rounds at 10,000 entries. `--traces` measures the hit ratio by capacity first.
 */
const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    size: { type: "string", multiple: true },
    only: { type: "string", multiple: true },
    traces: { type: "string" },
  },
});
const { quick } = flags;
const rounds = Number(flags.rounds ?? (quick ? 3 : 7));
const sizes = flags.size?.map(Number) ?? (quick ? [10_000] : [10_000, 1_000_000]);
const docs = fileURLToPath(new URL("../../../docs/memory/", import.meta.url));
const hitRatios = fileURLToPath(new URL("../hit-ratio/run.js", import.meta.url));
const measurer = fileURLToPath(new URL("measure.js", import.meta.url));
const [base = "", ...others] = Object.keys(subjects);
const names = [base, ...others.filter((name) => flags.only?.includes(name) ?? true)];

mkdirSync(docs, { recursive: true });
if (flags.traces !== undefined) compareHitRatios(flags.traces);
for (const size of sizes) compareSpeed(size);
comparePauses(quick ? 100_000 : 1_000_000);
compareBytes(quick ? 100_000 : 1_000_000);

function compareHitRatios(traces: string): void {
  execFileSync(process.execPath, [hitRatios, "--traces", traces, "--chart"], { stdio: "inherit" });
}

/**
 * Returns the medians of the rounds. In each round every library has a fresh process, and its
 * result is divided by that round's base.
 */
function compareSpeed(size: number): void {
  const ratios = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    const figures = new Map(
      names.map((name) => [name, measure<Record<string, number>>("speed", name, size)]),
    );
    for (const name of names) {
      for (const workload of workloads) {
        const own = figures.get(name)?.[workload.name] ?? Number.NaN;
        const bases = figures.get(base)?.[workload.name] ?? Number.NaN;
        const key = `${name}\n${workload.name}`;
        ratios.set(key, [...(ratios.get(key) ?? []), bases / own]);
      }
    }
  }
  const of = (name: string, workload: string) => median(ratios.get(`${name}\n${workload}`) ?? []);
  const columns = workloads.map(({ name }) => name);
  console.log(
    `\nSpeed at ${size.toLocaleString("en")} entries, ${base} = 1, higher is faster; medians of ${rounds} rounds\n`,
  );
  console.log(`| | ${columns.join(" | ")} |\n|${" --- |".repeat(columns.length + 1)}`);
  for (const name of names)
    console.log(`| ${name} | ${columns.map((column) => of(name, column).toFixed(2)).join(" | ")} |`);
  const bars = names.map((name) => ({ name, values: columns.map((column) => of(name, column)) }));
  draw(
    `speed-${size}`,
    `Speed at ${size.toLocaleString("en")} entries (${base} = 1, longer is faster)`,
    columns,
    bars,
  );
}

/**
 * Takes the smallest pause: the library's own pauses are in each process, the machine's only in
 * some.
 */
function leastOfThree(name: string, size: number): Pauses {
  const runs = Array.from({ length: 3 }, () => measure<Pauses>("pause", name, size));
  return {
    churn: Math.min(...runs.map(({ churn }) => churn)),
    growth: Math.min(...runs.map(({ growth }) => growth)),
  };
}

function comparePauses(size: number): void {
  const figures = names.map((name) => ({ name, ...leastOfThree(name, size) }));
  console.log(
    `\nThe worst of all batches of 64 operations at ${size.toLocaleString("en")} entries, in ms; the least of 3 processes\n`,
  );
  console.log("| | full | filling |\n| --- | --- | --- |");
  for (const { name, churn, growth } of figures)
    console.log(`| ${name} | ${churn.toFixed(2)} | ${growth.toFixed(2)} |`);
  const bars = figures.map(({ name, churn, growth }) => ({ name, values: [churn, growth] }));
  draw("pauses", `Worst batch of 64 operations, ms (shorter is better)`, ["full cache", "filling"], bars);
}

function compareBytes(size: number): void {
  const figures = names.map((name) => ({ name, values: [measure<number>("bytes", name, size)] }));
  console.log(
    `\nBytes per entry at ${size.toLocaleString("en")} entries, key string included\n\n| | bytes |\n| --- | --- |`,
  );
  for (const { name, values } of figures) console.log(`| ${name} | ${values[0]?.toFixed(1)} |`);
  draw("bytes", "Bytes per entry (shorter is better)", ["heap and arrays"], figures);
}

function measure<T>(what: string, name: string, size: number): T {
  const flags = ["--expose-gc", "--max-old-space-size=6000", measurer, what, name, String(size)];
  // The measuring process prints the result of its function.
  return JSON.parse(execFileSync(process.execPath, flags, { encoding: "utf8" })) as T;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function draw(
  file: string,
  title: string,
  groups: readonly string[],
  bars: readonly { name: string; values: readonly number[] }[],
): void {
  writeFileSync(`${docs}${file}.svg`, barChart(title, groups, bars));
}
