import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BetterSqlite3Database, sqlite as storage } from "@cacheme/sqlite";
import type { StorageSubject } from "./subject.js";

// better-sqlite3 has no types of its own.
const Database: new (file: string) => BetterSqlite3Database = createRequire(import.meta.url)(
  "better-sqlite3",
);

const clock = "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)";

/**
 * better-sqlite3's fastest form: the same settings, a table like the storage's, prepared
 * statements, plucked columns and one transaction for each batch. A read is one statement, without
 * a transaction.
 */
export const sqlite: StorageSubject = {
  name: "sqlite",
  async start() {
    const folder = mkdtempSync(join(tmpdir(), "cacheme-bench-"));
    const database = new Database(join(folder, "bare.db"));
    database.exec(`
      PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      CREATE TABLE bare (key TEXT NOT NULL PRIMARY KEY, bytes BLOB NOT NULL, expires INTEGER NOT NULL);
      CREATE INDEX expires ON bare (expires);
    `);
    const prepare = (sql: string) => database.prepare(sql);
    const plucked = (sql: string) => {
      const statement = database.prepare(sql);
      statement.pluck(true);
      return statement;
    };
    const [begin, beginImmediate, commit] = [prepare("BEGIN"), prepare("BEGIN IMMEDIATE"), prepare("COMMIT")];
    const now = plucked(`SELECT ${clock}`);
    const readOne = plucked(`SELECT bytes FROM bare WHERE key = ? AND expires > ${clock}`);
    const read = plucked("SELECT bytes FROM bare WHERE key = ? AND expires > ?");
    const write = prepare(
      `INSERT INTO bare (key, bytes, expires) VALUES (?, ?, ?)
        ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes, expires = excluded.expires`,
    );
    return {
      storage: storage(join(folder, "storage.db"), { driver: "better-sqlite3" }),
      bare: {
        readMany: async (keys) => {
          if (keys.length === 1) return [readOne.get(keys[0] ?? "") as Buffer | undefined];
          begin.run();
          const at = Number(now.get());
          const found = keys.map((key) => read.get(key, at) as Buffer | undefined);
          commit.run();
          return found;
        },
        writeMany: async (records) => {
          beginImmediate.run();
          const at = Number(now.get());
          for (const { key, bytes, ttl } of records) write.run(key, bytes, at + ttl);
          commit.run();
        },
      },
      stop: async () => {
        database.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
};
