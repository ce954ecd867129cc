import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteJournal } from "@cacheme/sqlite";
import { Cacheme, Node, type NodeMeta, type SaveAll } from "cacheme";

/**
 * Measures writing behind into a journal of SQLite: the acknowledged saves in a second, each on the
 * disk, and how many saves one write of the source stands for. The keys are drawn from Zipf(0.99),
 * and, for the first figure, each once, too.
 */

const keys = 10_000;
const saves = 200_000;
/** The saves under way at a time. */
const concurrent = 2_000;

let calls = 0;
let values = 0;

class Counter extends Node<{ readonly count: number; readonly at: string }> {
  static override meta: NodeMeta = { name: "counter", caches: [], write: "behind", journal: "writes" };
  static override saveAll: SaveAll<Counter> = (entries) => {
    calls += 1;
    values += entries.length;
  };
  readonly id: number;
  constructor(id: number) {
    super();
    this.id = id;
  }
  key() {
    return `counter-${this.id}`;
  }
}

/** Returns a function that draws ranks from 0, by Zipf's law. Repeats itself in each run. */
function zipf(count: number, exponent: number): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** exponent;
    sums[rank] = sum;
  }
  let state = 42;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const wanted = (state / 2 ** 32) * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

async function measure(title: string, nextKey: () => number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cacheme-bench-journal-"));
  const cacheme = new Cacheme();
  await cacheme.registerJournal("writes", sqliteJournal(join(folder, "writes.db")), {
    nodes: [Counter],
    maxSize: 1_000_000,
  });
  calls = 0;
  values = 0;
  let left = saves;
  const at = new Date(0).toISOString();
  const saveSome = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await cacheme.save(new Counter(nextKey()), { count: left, at });
    }
  };
  const before = process.cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: concurrent }, saveSome));
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  const busy = (user + system) / 1e6;
  await cacheme.flush({ timeout: "1m" });
  await cacheme.close();
  rmSync(folder, { recursive: true });
  const perSecond = (time: number) => Math.round(saves / time).toLocaleString("en");
  console.log(
    `${title}: ${perSecond(seconds)} acknowledged saves a second, ${perSecond(busy)} in a second of processor time; ` +
      `${(saves / calls).toFixed(0)} saves for each saveAll, ${(saves / values).toFixed(1)} for each written value`,
  );
}

await measure("Warm-up", zipf(keys, 0.99));
await measure("Zipf(0.99)", zipf(keys, 0.99));
let next = 0;
await measure("Each key once", () => next++);
