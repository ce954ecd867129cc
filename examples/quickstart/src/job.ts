/**
 * The job, in its own process, so that its memory is empty at the start. It computes the tree of
 * each installed package, and reports to its parent. `job.js cached` uses the nodes, `job.js plain`
 * uses no cache.
 */
import { close, getAll, invalidate, stats } from "cacheme";
import { connectCaches } from "./caches.js";
import { PackageNode } from "./package-node.js";
import { type Tree, TreeNode } from "./tree-node.js";
import { reads, searchTree } from "./without-cache.js";
import { installedPackages } from "./workspace.js";

/** The result and the statistics of the job. */
export interface JobReport {
  readonly milliseconds: number;
  /** The trees, in the order of the packages' folders. */
  readonly trees: readonly Tree[];
  readonly requests: number;
  /** The number of requests that each storage answered. */
  readonly hits: Readonly<Record<string, number>>;
  readonly loads: number;
  /** The number of requests that joined a running load. */
  readonly joined: number;
}

/** A message to the parent: the number of finished trees, and at the end the report. */
export type JobMessage = { readonly done: number; readonly of: number } | { readonly report: JobReport };

/** The number of concurrent requests for trees. */
const groupSize = 20;

const tell = (message: JobMessage) => process.send?.(message);

const folders = await installedPackages();

async function inGroups(answer: (group: readonly string[]) => Promise<readonly Tree[]>): Promise<Tree[]> {
  const trees: Tree[] = [];
  while (trees.length < folders.length) {
    trees.push(...(await answer(folders.slice(trees.length, trees.length + groupSize))));
    tell({ done: trees.length, of: folders.length });
  }
  return trees;
}

async function plainJob(): Promise<JobReport> {
  const began = performance.now();
  const trees = await inGroups((group) => Promise.all(group.map(searchTree)));
  const milliseconds = performance.now() - began;
  return { milliseconds, trees, requests: reads, hits: {}, loads: reads, joined: 0 };
}

async function cachedJob(): Promise<JobReport> {
  await connectCaches();
  const began = performance.now();
  const trees = await inGroups((group) => getAll(group.map((folder) => new TreeNode(folder))));
  const milliseconds = performance.now() - began;
  const { requestCount, hits, loadCount, coalescedCount } = stats();
  if (process.argv.includes("--leave-nothing")) {
    await invalidate(...folders.flatMap((folder) => [new TreeNode(folder), new PackageNode(folder)]));
  }
  await close();
  return { milliseconds, trees, requests: requestCount, hits, loads: loadCount, joined: coalescedCount };
}

try {
  tell({ report: await (process.argv[2] === "plain" ? plainJob() : cachedJob()) });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
process.disconnect?.();
