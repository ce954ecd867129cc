import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { libraries } from "./libraries.js";
import type { Library } from "./library.js";
import type { Row } from "./row.js";
import { rows as allRows, tables } from "./rows.js";

/**
 * Tries every row with every library, records what came of it in results.json, and writes the tables of docs/comparison.md.
 * With names of rows as arguments it prints those and records nothing.
 */

interface Results {
  readonly date: string;
  readonly node: string;
  readonly redis: string;
  readonly libraries: readonly TriedLibrary[];
  readonly tables: readonly { readonly title: string; readonly rows: readonly TriedRow[] }[];
}

interface TriedLibrary {
  readonly name: string;
  /** The packages that were tried, with their versions. */
  readonly packages: Readonly<Record<string, string>>;
  /** "read" if the library does not run on Node: its cells say what its documentation says. */
  readonly how: "run" | "read";
}

interface TriedRow {
  readonly name: string;
  readonly title: string;
  readonly cells: readonly Cell[];
}

interface Cell {
  readonly library: string;
  readonly outcome: string;
  /** "read" if the documentation offers nothing that could be run. */
  readonly how: "run" | "read";
  /** The page of the documentation. */
  readonly page?: string;
}

const fusionCache: TriedLibrary = {
  name: "FusionCache",
  packages: { "ZiggyCreatures.FusionCache": "2.7.1" },
  how: "read",
};
const recorded = new URL("../../src/comparison/results.json", import.meta.url);
const manifest = new URL("../../package.json", import.meta.url);
const pageProgram = new URL("../../../scripts/comparison.mjs", import.meta.url).pathname;
const cellProgram = new URL("./cell.js", import.meta.url).pathname;
const execute = promisify(execFile);

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in allRows));
if (unknown.length > 0)
  throw new Error(`expected names of rows (${Object.keys(allRows).join(", ")}), got ${unknown.join(", ")}`);

const tried = [];
for (const [title, rows] of Object.entries(tables)) {
  const triedRows: TriedRow[] = [];
  for (const [name, row] of Object.entries(rows)) {
    if (wanted.length === 0 || wanted.includes(name)) triedRows.push(await tryRow(name, row));
  }
  tried.push({ title, rows: triedRows });
}
if (wanted.length === 0) {
  await record(tried);
  await execute(process.execPath, [pageProgram]);
}

async function tryRow(name: string, row: Row): Promise<TriedRow> {
  console.log(`\n${row.title}`);
  const cells: Cell[] = [];
  for (const library of libraries) {
    const cell = await tryCell(name, row, library);
    console.log(
      `  ${cell.library.padEnd(20)} ${cell.outcome}${cell.how === "read" ? " (documentation)" : ""}`,
    );
    cells.push(cell);
  }
  cells.push({ library: fusionCache.name, how: "read", ...row.fusionCache });
  return { name, title: row.title, cells };
}

async function tryCell(rowName: string, row: Row, library: Library): Promise<Cell> {
  if (row.needs !== undefined && library.lacks.includes(row.needs))
    return { library: library.name, outcome: "no", how: "read" };
  const { stdout } = await execute(process.execPath, [cellProgram, rowName, library.name], {
    timeout: 60_000,
    env: { ...process.env, NODE_ENV: "development" },
  });
  return { library: library.name, outcome: stdout.trim(), how: "run" };
}

async function record(triedTables: Results["tables"]): Promise<void> {
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    redis: await redisVersion(),
    libraries: [...libraries.map(withVersions), fusionCache],
    tables: triedTables,
  };
  writeFileSync(recorded, `${JSON.stringify(results, undefined, 2)}\n`);
}

function withVersions({ name, packages }: Library): TriedLibrary {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, "utf8"));
  const all: Record<string, string> = { ...dependencies, ...devDependencies };
  const versions = packages.map((pkg) => {
    const version = all[pkg];
    if (version === undefined) throw new Error(`benchmarks/package.json does not depend on ${pkg}`);
    return [pkg, version];
  });
  return { name, packages: Object.fromEntries(versions), how: "run" };
}

async function redisVersion(): Promise<string> {
  const { stdout } = await execute("redis-server", ["--version"]);
  return /v=(\S+)/.exec(stdout)?.[1] ?? stdout.trim();
}
