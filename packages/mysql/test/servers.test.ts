import { server as start } from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme/driver";
import { createConnection } from "mysql2/promise";
import { afterEach, describe, expect, it } from "vitest";
import { type MysqlStorageOptions, mysql } from "../src/index.js";
import { factsOf } from "../src/server.js";

describeWithServer("mysql", "an unsuitable server", (server) => {
  const afterwards: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const act of afterwards.splice(0).reverse()) await act();
  });

  function storage(url: string, options: MysqlStorageOptions = {}): RemoteStorage {
    const made = mysql(url, options);
    afterwards.push(() => made.close());
    return made;
  }

  async function sql(...statements: readonly string[]): Promise<void> {
    const connection = await createConnection({ uri: server().url, multipleStatements: true });
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  }

  it("is not confused with an address where no server listens", async () => {
    const nowhere = storage("mysql://cacheme:cacheme@127.0.0.1:1/cacheme");
    await expect(nowhere.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringMatching(/cannot be reached: connect ECONNREFUSED.*Check that the server runs/),
    });
  });

  it.each([
    [
      "the password is wrong",
      (url: string) => url.replace(":cacheme@", ":wrong@"),
      /Check the user and the password/,
    ],
    ["there is no such database", (url: string) => `${url}_none`, /Make the database, or name another one/],
  ])("is said to have been reached if %s", async (_, change, remedy) => {
    const one = storage(change(server().url));
    const connecting = one.connect();
    await expect(connecting).rejects.toMatchObject({ code: "CACHEME_CONNECT_REFUSED" });
    await expect(connecting).rejects.toThrow("was reached, but cannot be used");
    await expect(connecting).rejects.toThrow(remedy);
  });

  it("is refused if it is too old to create the table, with its version and the needed one", async () => {
    // The real server says that it is another one.
    const old = await start("mysql", { arguments: ["--version=5.7.44-log"] });
    afterwards.push(() => old.stop());
    for (const connect of ["eager", "lazy"] as const) {
      const one = storage(old.url, { connect });
      await expect(one.connect().then(() => one.ping())).rejects.toMatchObject({
        code: "CACHEME_UNSUPPORTED_SERVER",
        message: expect.stringMatching(
          /found MySQL 5\.7\.44\. The storage needs MySQL 8\.0\.13 or newer, or MariaDB 10\.5 or newer/,
        ),
      });
    }
  });

  it("is used in spite of its version if each call works on the table", async () => {
    const old = await start("mysql", { arguments: ["--version=5.7.44-log"] });
    afterwards.push(() => old.stop());
    const connection = await createConnection(old.url);
    const { mysqlTable } = await import("../src/index.js");
    await connection.query(mysqlTable());
    await connection.end();
    const one = storage(old.url, { createTable: false });
    await one.connect();
    expect((await one.info?.())?.server).toBe("MySQL 5.7.44");
  });

  it("is refused if a call of some kind fails, with the call and the server's words", async () => {
    const one = storage(server().url, { table: "broken" });
    await one.connect();
    await sql(
      `CREATE TRIGGER refuse BEFORE UPDATE ON broken FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no updates here'`,
    );
    const other = storage(server().url, { table: "broken" });
    await expect(other.connect()).rejects.toMatchObject({
      code: "CACHEME_UNSUPPORTED_SERVER",
      message: expect.stringMatching(
        /found MariaDB 10\.\d+\.\d+, where an acquire failed: no updates here\. The storage needs/,
      ),
    });
  });

  it("is refused while it takes no writes, and used when it does", async () => {
    const one = storage(server().url, { table: "standby" });
    await one.connect();
    await sql(
      "CREATE USER IF NOT EXISTS plain@'%' IDENTIFIED BY 'plain'",
      "GRANT ALL ON cacheme.* TO plain@'%'",
    );
    const other = storage(server().url.replace("cacheme:cacheme@", "plain:plain@"), { table: "standby" });
    await sql("SET GLOBAL read_only = 1");
    try {
      await expect(other.connect()).rejects.toMatchObject({
        code: "CACHEME_CONNECT_REFUSED",
        message: expect.stringContaining("give the address of the primary"),
      });
    } finally {
      await sql("SET GLOBAL read_only = 0");
    }
    await other.connect();
  });
});

describeWithServer("mysql", "a full server", (server) => {
  it("still invalidates tags, by removing their generations, and is connected to", async () => {
    const connection = await createConnection(server().url);
    const storage = mysql(server().url, { table: "crowded" });
    const ensure = async () => (await storage.generations?.ensure(["tag"], 60_000))?.[0];
    const before = await ensure();
    for (const event of ["INSERT", "UPDATE"]) {
      await connection.query(
        `CREATE TRIGGER full_${event} BEFORE ${event} ON crowded FOR EACH ROW
          SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'`,
      );
    }
    await expect(ensure()).rejects.toThrow("The table is full");
    const [bumped] = (await storage.generations?.bump(["tag"], 60_000)) ?? [];
    expect(bumped?.id).not.toBe(before?.id);
    expect(bumped?.at).toBeGreaterThanOrEqual(before?.at ?? 0);
    expect(await storage.readMany(["tag"])).toEqual([undefined]);
    const other = mysql(server().url, { table: "crowded" });
    await other.connect();
    await connection.query("DROP TRIGGER full_INSERT");
    await connection.query("DROP TRIGGER full_UPDATE");
    expect((await ensure())?.id).not.toBe(before?.id);
    for (const one of [storage, other]) await one.close();
    await connection.end();
  });
});

describe("the product of a server", () => {
  it.each([
    ["8.0.33", "Dolt", "Dolt", "8.0.33"],
    ["8.0.11-TiDB-v7.5.1", "TiDB Server (Apache License 2.0)", "TiDB", "8.0.11"],
    ["8.4.2", "MySQL Community Server - GPL", "MySQL", "8.4.2"],
    ["5.5.5-10.4.8-MariaDB", "", "MariaDB", "10.4.8"],
  ])("is taken from %s and %s", (version, comment, product, number) => {
    expect(factsOf(version, 1, comment)).toMatchObject({ product, version: number });
  });
});
