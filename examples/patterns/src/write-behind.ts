import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteJournal } from "@cacheme/sqlite";
import { Cacheme, defineNode } from "cacheme";
import { Table } from "./table.js";

/** A save is on the disk at once, and in the table a little later, with others. */
export async function writeBehind(): Promise<string> {
  const counts = new Table<number>();

  const count = defineNode({
    name: "count",
    caches: [],
    write: "behind",
    journal: "writes",
    key: (page: string) => page,
    load: async (page) => (await counts.find(page)) ?? 0,
    saveAll: (entries) => counts.upsert(...entries.map(({ argument, value }) => [argument, value] as const)),
  });

  const folder = mkdtempSync(join(tmpdir(), "cacheme-example-"));
  try {
    await using cacheme = new Cacheme();
    await cacheme.registerJournal("writes", sqliteJournal(join(folder, "writes.db")), { nodes: [count] });
    for (let views = 1; views <= 1_000; views++) await cacheme.save(count(`page-${views % 10}`), views);
    const read = await cacheme.get(count("page-0")); // The journal answers: the table may not have it yet.
    const { unsaved } = await cacheme.flush();
    return `1000 saves were ${counts.writes} write of the table; the newest, ${read}, was read at once; ${unsaved} are unsaved`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
