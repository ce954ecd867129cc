import type { InstalledPackage } from "./installed-package.js";
import type { JobReport } from "./job.js";
import { count, megabytes, percent, seconds, table } from "./table.js";
import type { Tree } from "./tree-node.js";

/** The result of one variant of the job. */
export interface Outcome {
  readonly name: string;
  readonly report: JobReport;
}

/** Returns the final output of the quickstart. */
export function summary(
  outcomes: readonly Outcome[],
  packages: ReadonlyMap<string, InstalledPackage>,
  trees: readonly Tree[],
  secondTier: string,
): string {
  const slowest = outcomes[0]?.report.milliseconds ?? 0;
  const head = ["", "requests", "from memory", `from ${secondTier}`, "loads", "joined", "time", "saved"];
  const rows = outcomes.map((outcome) => row(outcome, slowest));
  return `\n${[answer(packages, trees), table([head, ...rows]), legend, words(secondTier), whereToLook].join(
    "\n\n",
  )}`;
}

function row({ name, report }: Outcome, slowest: number): string[] {
  const { requests, hits, loads, joined, milliseconds } = report;
  const rate = (storage: string) => {
    const answered = hits[storage];
    return answered === undefined ? "–" : percent(answered, requests);
  };
  const saved = slowest - milliseconds;
  return [
    name,
    count(requests),
    rate("memory"),
    rate("second"),
    count(loads),
    count(joined),
    seconds(milliseconds),
    saved === 0 ? "–" : percent(saved, slowest),
  ];
}

function answer(packages: ReadonlyMap<string, InstalledPackage>, trees: readonly Tree[]): string {
  const all = [...packages.values()];
  const weight = all.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = trees.reduce((best, tree) => (tree.packages.length > best.packages.length ? tree : best));
  const root = all[trees.indexOf(largest)];
  return (
    `  What does each of the ${count(all.length)} packages installed here (${megabytes(weight)}) bring with it?\n` +
    `  ${root?.name} ${root?.version}, for one: ${count(largest.packages.length)} packages of ${megabytes(largest.bytes)} together.`
  );
}

const legend = `  joined: asked while the same value was being loaded, and given that one's answer.
  Every way gave the same trees as a plain search does, also for packages that depend on each other.`;

function words(secondTier: string): string {
  return `  What you saw: without a cache a package is read from disk for every tree that it is in. With one it is
  read once, however many ask at once. A second process finds whole trees in ${secondTier} and loads nothing.

  Any storage will do: npm run quickstart -- postgres://user:password@localhost/database`;
}

const whereToLook = `  The two node classes: examples/quickstart/src/package-node.ts and tree-node.ts`;
