import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connection, createConnection } from "mysql2/promise";
import { describe, expect, it } from "vitest";
import { systemStatements } from "../src/services/mariadb.js";
import { describeWithServer } from "../src/vitest.js";

describeWithServer("mysql", "a server of MariaDB", (mariadb) => {
  const use = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await createConnection(mariadb().url);
    try {
      return await work(connection);
    } finally {
      await connection.end();
    }
  };
  const query = (statement: string): Promise<unknown> =>
    use(async (connection) => (await connection.query(statement))[0]);

  it("gives the user in its address all privileges, in the database of its address", async () => {
    expect(await query("SELECT DATABASE() AS place, CURRENT_USER() AS me")).toEqual([
      { place: "cacheme", me: "cacheme@%" },
    ]);
    await query("CREATE DATABASE another");
    await query("DROP DATABASE another");
  });

  it("rejects a wrong password", async () => {
    const address = new URL(mariadb().url);
    address.password = "wrong";
    await expect(createConnection(address.href)).rejects.toThrow("Access denied");
  });

  it("keeps its flushed data when it is killed", async () => {
    await query("CREATE TABLE kept (answer INT)");
    await query("INSERT INTO kept VALUES (42)");
    await query("FLUSH LOGS");
    await mariadb().restart();
    expect(await query("SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
  });
});

describe("the statements of MariaDB's system tables", () => {
  const names = ["system_tables", "performance_tables", "system_tables_data"];

  it.each([
    ["mysql", "mysql"],
    ["mariadb", "mariadb"],
    ["mysql", "mariadb"],
  ])("are found in a folder %s under names that begin with %s", (share, prefix) => {
    const root = mkdtempSync(join(tmpdir(), "cacheme-mariadb-"));
    const folders = ["mariadb", "mysql"].map((name) => join(root, name));
    mkdirSync(join(root, share));
    const files = names.map((name) => join(root, share, `${prefix}_${name}.sql`));
    for (const file of files) writeFileSync(file, "");
    expect(systemStatements(folders)).toEqual(files);
    rmSync(root, { recursive: true });
    expect(() => systemStatements(folders)).toThrow("There are no statements");
  });
});
