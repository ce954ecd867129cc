import { appendFileSync, writeSync } from "node:fs";
import type { JournalKeeper, KilledRun } from "./killed-saves.js";

/** The saves that are under way at a time. */
const concurrent = 8;

/**
 * Saves numbers until it is killed, or flushes and ends. Prints each number when it is acknowledged.
 * The source is a file, to which each write appends a line.
 *
 * @param cacheme the module
 * @param journalAt makes the journal of a place
 */
export async function runKilledSaves(
  cacheme: JournalKeeper,
  journalAt: (place: string) => unknown,
): Promise<void> {
  const run = JSON.parse(process.argv[3] ?? "") as KilledRun;
  const { defineNode, registerJournal, save, flush } = cacheme;
  const line = defineNode({
    name: "line",
    key: (key: number) => `${key}`,
    load: () => 0,
    saveAll: (entries: readonly { readonly argument: number; readonly value: number }[]) => {
      // One write for each value, so that the process may be killed between two of them.
      for (const { argument, value } of entries) appendFileSync(run.source, `${argument} ${value}\n`);
    },
    caches: [],
    write: "behind",
    journal: "writes",
  });
  await registerJournal("writes", journalAt(run.place), {
    nodes: [line],
    delay: 20,
    lease: 250,
    pollInterval: 100,
    batchSize: 16,
  });
  if (process.argv[2] === "flushes") {
    writeSync(1, `${JSON.stringify(await flush({ timeout: "20s" }))}\n`);
    process.exit();
  }
  let next = run.first;
  const saveForEver = async () => {
    for (;;) {
      const value = next++;
      await save(line(value % run.keys), value);
      writeSync(1, `${value}\n`);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, saveForEver));
}
