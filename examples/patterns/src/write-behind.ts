import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteJournal } from "@cacheme/sqlite";
import { Cacheme, Node, type NodeMeta, type SaveAll } from "cacheme";
import { Table } from "./table.js";

/** A save is on the disk at once, and in the table a little later, with others. */
export async function writeBehind(): Promise<string> {
  const counts = new Table<number>();

  class Count extends Node<number | undefined> {
    static override meta: NodeMeta = { name: "count", caches: [], write: "behind", journal: "writes" };
    static override saveAll: SaveAll<Count> = (entries) =>
      counts.upsert(...entries.map(({ node, value }) => [node.page, value ?? 0] as const));
    constructor(readonly page: string) {
      super();
    }
    key() {
      return this.page;
    }
    override load() {
      return counts.find(this.page);
    }
  }

  const folder = mkdtempSync(join(tmpdir(), "cacheme-example-"));
  try {
    await using cacheme = new Cacheme();
    await cacheme.registerJournal("writes", sqliteJournal(join(folder, "writes.db")), { nodes: [Count] });
    for (let views = 1; views <= 1_000; views++) await cacheme.save(new Count(`page-${views % 10}`), views);
    const read = await cacheme.get(new Count("page-0")); // The journal answers: the table may not have it yet.
    const { unsaved } = await cacheme.flush();
    return `1000 saves were ${counts.writes} write of the table; the newest, ${read}, was read at once; ${unsaved} are unsaved`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
