import { Cacheme, Node, type NodeMeta } from "cacheme";
import { Table } from "./table.js";

/** A save writes the table, and the cache drops the key: what is never read takes no room. */
export async function writeAround(): Promise<string> {
  const logs = new Table<string>();

  class Log extends Node<string | undefined> {
    static override meta: NodeMeta = { name: "log", write: "around" };
    constructor(readonly id: string) {
      super();
    }
    key() {
      return this.id;
    }
    override load() {
      return logs.find(this.id);
    }
    override save(line: string) {
      return logs.upsert([this.id, line.trim()]); // The table changes what it gets.
    }
  }

  await using cacheme = new Cacheme();
  for (let id = 0; id < 100; id++) await cacheme.save(new Log(`${id}`), ` line ${id} `);
  const cached = cacheme.peekLocal(new Log("7"))?.value;
  const line = await cacheme.get(new Log("7"));
  return `of ${logs.writes} saved lines the cache kept ${cached ?? "none"}; "${line}" was read as the table has it`;
}
