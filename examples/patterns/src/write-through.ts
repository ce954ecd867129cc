import { Cacheme, defineNode } from "cacheme";
import { Table } from "./table.js";

/** A save writes the table and the cache. The next read finds the value in the cache. */
export async function writeThrough(): Promise<string> {
  const profiles = new Table<string>();

  const profile = defineNode({
    name: "profile",
    key: (id: string) => id,
    load: async (id) => (await profiles.find(id)) ?? "nobody",
    save: (id, name) => profiles.upsert([id, name]),
  });

  await using cacheme = new Cacheme();
  await cacheme.save(profile("1"), "Ada");
  const name = await cacheme.get(profile("1"));
  return `"${name}" is in the table after ${profiles.writes} write, and was read with ${profiles.reads} queries`;
}
