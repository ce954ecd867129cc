import { Cacheme, Node } from "cacheme";
import { Table } from "./table.js";

/** A save writes the table and the cache. The next read finds the value in the cache. */
export async function writeThrough(): Promise<string> {
  const profiles = new Table<string>();

  class Profile extends Node<string | undefined> {
    constructor(readonly id: string) {
      super();
    }
    key() {
      return this.id;
    }
    override load() {
      return profiles.find(this.id);
    }
    override save(name: string) {
      return profiles.upsert([this.id, name]);
    }
  }

  await using cacheme = new Cacheme();
  await cacheme.save(new Profile("1"), "Ada");
  const name = await cacheme.get(new Profile("1"));
  return `"${name}" is in the table after ${profiles.writes} write, and was read with ${profiles.reads} queries`;
}
