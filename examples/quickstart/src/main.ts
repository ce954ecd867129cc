/**
 * The quickstart. It runs the job without a cache, with memory, and with memory and a second
 * storage, and shows the results.
 */
import { isDeepStrictEqual } from "node:util";
import { expectedTrees, readAll } from "./plain-search.js";
import { Progress } from "./progress.js";
import { runJob } from "./run-job.js";
import { type SecondTier, secondTier } from "./second-tier.js";
import { type Outcome, summary } from "./summary.js";
import { count } from "./table.js";
import type { Tree } from "./tree-node.js";
import { installedPackages } from "./workspace.js";

/** A variant of the job. Each runs in its own process, with an empty memory at the start. */
interface Way {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const withoutCache: Way = { name: "without cache", parameters: ["plain"], env: {} };
const onMemory: Way = { name: "memory", parameters: ["cached"], env: { CACHE_URL: undefined } };

/** The second process finds the entries of the first one in the second storage. */
function onTwoTiers({ name, url }: SecondTier): Way[] {
  const env = { CACHE_URL: url, CACHE_PREFIX: `quickstart-${process.pid}-${Date.now()}` };
  return [
    { name: `memory + ${name}, cold`, parameters: ["cached"], env },
    { name: `memory + ${name}, warm`, parameters: ["cached", "--leave-nothing"], env },
  ];
}

/** @throws Error if an answer differs from that of a plain search */
function check(
  way: string,
  folders: readonly string[],
  trees: readonly Tree[],
  expected: readonly Tree[],
): void {
  const wrong = folders.find((_, index) => !isDeepStrictEqual(trees[index], expected[index]));
  if (wrong !== undefined)
    throw new Error(`Wrong answer ${way}: the tree of ${wrong} differs from that of a plain search.`);
}

async function quickstart(signal: AbortSignal): Promise<void> {
  const progress = new Progress();
  const folders = await installedPackages();
  progress.begin(`Reading ${count(folders.length)} installed packages`);
  // Reading all packages first also fills the system's file cache, which then serves all variants
  // alike.
  const packages = await readAll(folders);
  const expected = expectedTrees(packages);

  const second = await secondTier();
  try {
    const outcomes: Outcome[] = [];
    for (const { name, parameters, env } of [withoutCache, onMemory, ...onTwoTiers(second)]) {
      const step = `Working out their trees: ${name}`;
      progress.begin(step);
      const onProgress = (done: number, of: number) => progress.advance(step, done, of);
      const report = await runJob({ parameters, env, signal, onProgress });
      check(name, folders, report.trees, expected);
      outcomes.push({ name, report });
    }
    progress.end();
    console.log(summary(outcomes, packages, expected, second.name));
  } finally {
    progress.end();
    await second.stop();
  }
}

const interruption = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interruption.abort());

try {
  await quickstart(interruption.signal);
} catch (error) {
  console.error(interruption.signal.aborted ? "Stopped." : error instanceof Error ? error.message : error);
  process.exitCode = interruption.signal.aborted ? 130 : 1;
}
