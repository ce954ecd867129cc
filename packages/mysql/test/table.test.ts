import { randomBytes } from "node:crypto";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { describe, expect, it } from "vitest";
import { mysqlTable } from "../src/index.js";
import { placeIn } from "./place.js";

describeWithServer("mysql", "the table", (server) => {
  const { connection, storage, column } = placeIn(server);

  it("is created by 20 storages that connect at once", async () => {
    const made = Array.from({ length: 20 }, () => storage({ table: "made" }));
    await Promise.all(made.map((one) => one.connect()));
    expect(await column("SHOW TABLES LIKE 'made'")).toEqual(["made"]);
  });

  it("is created by the statement of mysqlTable(), also in another database", async () => {
    await connection().query("CREATE DATABASE elsewhere");
    await connection().query(mysqlTable("elsewhere.entries"));
    const one = storage({ table: "elsewhere.entries", createTable: false });
    await one.connect();
    await one.writeMany([{ key: "a", bytes: Buffer.from("A"), ttl: 60_000 }]);
    expect(await column("SELECT COUNT(*) FROM elsewhere.entries")).toEqual([1]);
    const info = await one.info?.();
    expect(info).toMatchObject({ details: { table: "`elsewhere`.`entries`" }, bytes: expect.any(Number) });
  });

  it("has no invalid name", () => {
    expect(() => mysqlTable("a`b")).toThrow(expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }));
    expect(mysqlTable()).toMatch(/^CREATE TABLE IF NOT EXISTS `cacheme` \(/);
  });

  it("is not created with createTable: false, and the error says how to create it", async () => {
    const connecting = storage({ table: "missing", createTable: false }).connect();
    await expect(connecting).rejects.toMatchObject({ code: "CACHEME_CONNECT_REFUSED" });
    await expect(connecting).rejects.toThrow(
      "no table `missing`. Create it with the statement of mysqlTable()",
    );
    expect(await column("SHOW TABLES LIKE 'missing'")).toEqual([]);
  });

  it("is refused if another program made it", async () => {
    await connection().query("CREATE TABLE users (id INT PRIMARY KEY)");
    await expect(storage({ table: "users" }).connect()).rejects.toThrow("`users` is not the storage's own");
  });

  it("needs no right to create tables if it exists", async () => {
    await storage({ table: "ready" }).connect();
    await connection().query("CREATE USER IF NOT EXISTS reader@'%' IDENTIFIED BY 'reader'");
    await connection().query("GRANT SELECT, INSERT, UPDATE, DELETE ON cacheme.ready TO reader@'%'");
    const url = server().url.replace("cacheme:cacheme@", "reader:reader@");
    const one = storage({ table: "ready" }, url);
    await one.writeMany([{ key: "a", bytes: Buffer.from("A"), ttl: 60_000 }]);
    expect(await one.removeMany(["a"])).toBe(1);
    await expect(storage({ table: "denied" }, url).connect()).rejects.toThrow("denied");
  });

  it("keeps the index short for the longest keys, and their order for scans", async () => {
    const one = storage({ table: "long" });
    const long = ["一", "二"].map((end) => "語".repeat(1999) + end);
    const edge = [511, 512, 513].map((length) => "x".repeat(length));
    const keys = [...long, ...edge];
    await one.writeMany(keys.map((key) => ({ key, bytes: Buffer.from(key), ttl: undefined })));
    expect((await one.readMany(keys)).map(String)).toEqual(keys);
    expect(await column("SELECT MAX(LENGTH(id)) FROM `long`")).toEqual([512]);
    expect(await column("SELECT COUNT(long_key) FROM `long`")).toEqual([4]);
    expect(await one.removeMany(keys)).toBe(5);
  });

  it("is swept in small steps, and keeps lasting and leased records", async () => {
    const one = storage({ table: "swept", sweepInterval: 20 });
    const record = (key: string, ttl: number | undefined) => ({ key, bytes: Buffer.from("value"), ttl });
    await one.writeMany(Array.from({ length: 1200 }, (_, index) => record(`over:${index}`, 1)));
    await one.writeMany([record("lasting", 60_000), record("for ever", undefined)]);
    await one.leases?.acquire([{ key: "leased", duration: 60_000 }]);
    const left = () => column("SELECT CAST(id AS CHAR) FROM swept ORDER BY id");
    await expect.poll(left, { timeout: 20_000 }).toEqual(["for ever", "lasting", "leased"]);
  });

  it("has times of the server, whatever its time zone", async () => {
    await connection().query("SET GLOBAL time_zone = '+13:00'");
    const one = storage({ table: "zoned" });
    const [made] = (await one.generations?.bump(["a"], undefined)) ?? [];
    await connection().query("SET GLOBAL time_zone = 'SYSTEM'");
    expect(Math.abs((made?.at ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  describe("under many batches at once", () => {
    it("takes them in any order without an error", async () => {
      const clients = Array.from({ length: 5 }, () => storage({ table: "busy", commandTimeout: "30s" }));
      await Promise.all(clients.map((client) => client.connect()));
      const keys = Array.from({ length: 200 }, (_, index) => `key:${index}`);
      const batches = Array.from({ length: 50 }, async (_, index) => {
        const client = clients[index % 5];
        const some = shuffled(keys).slice(0, 20 + 3 * index);
        const records = some.map((key) => ({ key, bytes: randomBytes(100), ttl: index % 2 ? 1 : 60_000 }));
        if (index % 5 < 3) await client?.writeMany(records);
        else if (index % 5 === 3) await client?.removeMany(some);
        else await client?.leases?.acquire(some.map((key) => ({ key, duration: 50, steal: true })));
        return index;
      });
      expect((await Promise.all(batches)).length).toBe(50);
    });

    it("sends the loser of a deadlock once more", async () => {
      const one = storage({ table: "locked", commandTimeout: "30s" });
      const value = (key: string) => ({ key, bytes: Buffer.from("ours"), ttl: 60_000 });
      await one.writeMany([value("a"), value("b")]);
      const deadlocks = () =>
        column(
          "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_deadlocks'",
        );
      const [before] = await deadlocks();
      // Another program that takes the locks in the other order, and has changed more, so that it
      // is not the loser.
      await connection().query("CREATE TABLE heavy (id INT)");
      await connection().beginTransaction();
      await connection().query("INSERT INTO heavy SELECT seq FROM seq_1_to_1000");
      await connection().query("UPDATE locked SET token = NULL WHERE id = 'b'");
      const writing = one.writeMany([value("a"), value("b")]);
      await expect
        .poll(() => column("SELECT COUNT(*) FROM information_schema.INNODB_LOCK_WAITS"), {
          timeout: 10_000,
          interval: 200,
        })
        .toEqual([1]);
      await connection().query("UPDATE locked SET token = NULL WHERE id = 'a'");
      await connection().commit();
      await writing;
      const [after] = await deadlocks();
      expect(Number(after) - Number(before)).toBe(1);
    });
  });

  describe("and max_allowed_packet", () => {
    const mebibyte = 1024 * 1024;

    /** A server that takes little at once; its own other connections keep what they have. */
    async function withPacket(bytes: number, act: () => Promise<void>): Promise<void> {
      const [before] = await column("SELECT @@global.max_allowed_packet");
      await connection().query(`SET GLOBAL max_allowed_packet = ${bytes}`);
      try {
        await act();
      } finally {
        await connection().query(`SET GLOBAL max_allowed_packet = ${Number(before)}`);
      }
    }

    it("cuts a batch that is larger into statements that are not", async () => {
      await withPacket(mebibyte, async () => {
        const one = storage({ table: "packets", commandTimeout: "30s" });
        const keys = Array.from({ length: 40 }, (_, index) => `key:${index}`);
        const records = keys.map((key) => ({ key, bytes: randomBytes(100_000), ttl: 60_000 }));
        await one.writeMany(records);
        expect(same(await one.readMany(keys), records)).toBe(true);
        const answers =
          (await one.leases?.acquire(keys.map((key) => ({ key, duration: 60_000, steal: true })))) ?? [];
        const tokens = answers.map((answer) => (answer.outcome === "granted" ? answer.token : ""));
        const filled = await one.leases?.fill(
          records.map((record, index) => ({ ...record, token: tokens[index] ?? "" })),
        );
        expect(filled).toEqual(keys.map(() => true));
      });
    });

    it("names a record that is larger, and stores the others", async () => {
      await withPacket(mebibyte, async () => {
        const one = storage({ table: "packets", commandTimeout: "30s" });
        const small = { key: "small", bytes: Buffer.from("S"), ttl: 60_000 };
        const writing = one.writeMany([small, { key: "large", bytes: Buffer.alloc(mebibyte), ttl: 60_000 }]);
        await expect(writing).rejects.toMatchObject({
          name: "BatchError",
          code: "CACHEME_STORAGE_FAILED",
          keys: new Set(["large"]),
        });
        await expect(writing).rejects.toThrow(
          /a write failed for 1 of 2 keys: "large"\. .*1048576 bytes are too large .* max_allowed_packet is 1048576 bytes/,
        );
        expect((await one.readMany(["small", "large"])).map(String)).toEqual(["S", "undefined"]);
        const largest = { key: "largest", bytes: randomBytes(mebibyte - 8192), ttl: 60_000 };
        await one.writeMany([largest]);
        expect(same(await one.readMany(["largest"]), [largest])).toBe(true);
      });
    });
  });
});

/** To compare large arrays with `toEqual` takes seconds. */
function same(found: readonly (Uint8Array | undefined)[], records: readonly { bytes: Buffer }[]): boolean {
  return records.every(({ bytes }, index) => found[index] !== undefined && bytes.equals(found[index]));
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item);
}
