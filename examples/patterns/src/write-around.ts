import { Cacheme, defineNode } from "cacheme";
import { Table } from "./table.js";

/** A save writes the table, and the cache drops the key: what is never read takes no room. */
export async function writeAround(): Promise<string> {
  const logs = new Table<string>();

  const log = defineNode({
    name: "log",
    write: "around",
    key: (id: string) => id,
    load: async (id) => (await logs.find(id)) ?? "",
    save: (id, line) => logs.upsert([id, line.trim()]), // The table changes what it gets.
  });

  await using cacheme = new Cacheme();
  for (let id = 0; id < 100; id++) await cacheme.save(log(`${id}`), ` line ${id} `);
  const cached = cacheme.peekLocal(log("7"))?.value;
  const line = await cacheme.get(log("7"));
  return `of ${logs.writes} saved lines the cache kept ${cached ?? "none"}; "${line}" was read as the table has it`;
}
