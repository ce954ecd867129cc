import { describeWithServer } from "@cacheme/test-services/vitest";
import { expect, it } from "vitest";
import { postgres, postgresTable } from "../src/index.js";
import { connected, observer, record, texts } from "./place.js";

describeWithServer("postgres", "the table", (server) => {
  it("is created by a dozen storages that connect at once", async () => {
    const storages = await Promise.all(
      Array.from({ length: 12 }, () =>
        connected(server().url, { table: "at_once", connectTimeout: "30s", commandTimeout: "30s" }),
      ),
    );
    await storages[0]?.writeMany([record("a", "A")]);
    expect(await texts(storages[11]!, "a")).toEqual(["A"]);
  });

  it("is created by postgresTable() as by the storage, and its statements can be repeated", async () => {
    const client = await observer(server());
    await client.query("CREATE SCHEMA migrated");
    await client.query(postgresTable({ table: "migrated.entries" }));
    await client.query(postgresTable({ table: "migrated.entries" }));
    await connected(server().url, { table: "made" });
    const shape = async (table: string) => {
      const columns = await client.query(
        `SELECT attname, atttypid::regtype, attnotnull, attstorage, attcollation FROM pg_attribute
         WHERE attrelid = $1::regclass AND attnum > 0`,
        [table],
      );
      const indexes = await client.query(
        "SELECT indisprimary, indkey, pg_get_expr(indpred, indrelid) FROM pg_index WHERE indrelid = $1::regclass ORDER BY 1",
        [table],
      );
      return [columns.rows, indexes.rows];
    };
    const made = await shape("made");
    expect(made[0]).toHaveLength(8);
    expect(made[1]).toHaveLength(2);
    expect(await shape("migrated.entries")).toEqual(made);
    const storage = await connected(server().url, { table: "migrated.entries", createTable: false });
    await storage.writeMany([record("a", "A")]);
    expect(await texts(storage, "a")).toEqual(["A"]);
  });

  it("is not created with createTable: false, and the error says how to create it", async () => {
    const storage = postgres(server().url, { table: "not_there", createTable: false });
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("postgresTable()"),
    });
    await (await observer(server())).query(postgresTable({ table: "not_there" }));
    await storage.connect();
    await storage.close();
  });

  it("is created again after somebody has dropped it", async () => {
    const storage = await connected(server().url, { table: "dropped" });
    await storage.writeMany([record("a", "A")]);
    await (await observer(server())).query("DROP TABLE dropped");
    expect(await texts(storage, "a")).toEqual([undefined]);
    await storage.writeMany([record("a", "B")]);
    expect(await texts(storage, "a")).toEqual(["B"]);
  });

  it("is UNLOGGED with the option unlogged, which info() reports", async () => {
    const storage = await connected(server().url, { table: "fast", unlogged: true });
    expect(await storage.info?.()).toMatchObject({
      server: expect.stringMatching(/^PostgreSQL \d+/),
      details: { table: "fast", unlogged: true },
    });
    expect(postgresTable({ unlogged: true })).toContain('CREATE UNLOGGED TABLE IF NOT EXISTS "cacheme"');
    const logged = await connected(server().url, { table: "safe" });
    expect(await logged.info?.()).toMatchObject({ details: { unlogged: false } });
  });

  it("is refused if another program made it", async () => {
    await (await observer(server())).query("CREATE TABLE foreign_one (key text, value text)");
    const storage = postgres(server().url, { table: "foreign_one" });
    await expect(storage.connect()).rejects.toThrow("is not one that postgres() has made");
    await storage.close();
  });

  it("needs its schema", async () => {
    const storage = postgres(server().url, { table: "no_such_schema.entries" });
    await expect(storage.connect()).rejects.toThrow("Make the schema");
    await storage.close();
  });

  it("is refused with the missing rights of the database user", async () => {
    const client = await observer(server());
    await connected(server().url, { table: "guarded" });
    await client.query("CREATE ROLE narrow LOGIN; GRANT SELECT ON guarded TO narrow");
    const url = new URL(server().url);
    url.username = "narrow";
    const storage = postgres(url.href, { table: "guarded" });
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("Grant the database user"),
    });
    await storage.close();
  });

  it("has a name whose capitals count", async () => {
    const [upper, lower] = [
      await connected(server().url, { table: "Select" }),
      await connected(server().url, { table: "select" }),
    ];
    await upper.writeMany([record("a", "A")]);
    expect(await texts(lower, "a")).toEqual([undefined]);
  });

  it("can have a name as long as PostgreSQL takes", async () => {
    const name = "t".repeat(63);
    const storage = await connected(server().url, { table: name });
    await storage.writeMany([record("a", "A")]);
    expect(await texts(storage, "a")).toEqual(["A"]);
  });

  it("has no invalid name", () => {
    expect(() => postgresTable({ table: "a b" })).toThrow(
      expect.objectContaining({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringContaining("postgresTable()"),
      }),
    );
  });
});
