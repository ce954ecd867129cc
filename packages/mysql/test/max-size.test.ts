import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme/driver";
import { expect, it } from "vitest";
import { type MysqlStorageOptions, mysqlTable } from "../src/index.js";
import { placeIn } from "./place.js";

describeWithServer("mysql", "maxSize", (server) => {
  const { connection, storage, column } = placeIn(server);

  async function connected(options: MysqlStorageOptions): Promise<RemoteStorage> {
    const made = storage({ commandTimeout: "30s", ...options });
    await made.connect();
    return made;
  }

  const record = (key: string) => ({ key, bytes: Buffer.from("value"), ttl: 60_000 });
  const polled = { timeout: 20_000, interval: 20 };

  it("removes the records that were written first, but no running lease", async () => {
    const storage = await connected({ table: "bounded", sweepInterval: 5, maxSize: 100 });
    // Rows of one time are removed in the order of their ids.
    const keys = Array.from({ length: 300 }, (_, index) => `${1000 + index}`);
    for (let at = 0; at < 300; at += 10) {
      await storage.writeMany(keys.slice(at, at + 10).map(record));
      if (at === 20) await storage.leases?.acquire([{ key: "1020", duration: 60_000, steal: true }]);
    }
    await storage.writeMany([record("1005")]);
    await storage.generations?.bump(["tag"], 60_000);
    const left = () => column("SELECT CAST(id AS CHAR) FROM bounded ORDER BY id");
    await expect.poll(left, polled).toEqual(["1005", "1020", ...keys.slice(202), "tag"]);
  });

  it("removes a part of a batch, in several steps and from several processes at once", async () => {
    const options = { table: "crowd", sweepInterval: 5, maxSize: 500 };
    const all = await Promise.all(Array.from({ length: 4 }, () => connected(options)));
    await all[0]?.writeMany(Array.from({ length: 3700 }, (_, index) => record(`${index}`)));
    const count = () => column("SELECT COUNT(*) FROM crowd");
    await expect.poll(async () => Number((await count())[0]) <= 500, polled).toBe(true);
    expect(await count()).toEqual([500]);
  });

  it("needs an index, which the storage creates unless createTable is false", async () => {
    await connection().query(mysqlTable("unbounded"));
    await expect(connected({ table: "unbounded", maxSize: 10, createTable: false })).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("ALTER TABLE `unbounded` ADD KEY written_at (written_at)"),
    });
    const options = { table: "unbounded", maxSize: 10 };
    await Promise.all(Array.from({ length: 5 }, () => connected(options)));
    await connected({ ...options, createTable: false });
    await connection().query(mysqlTable("made", { bounded: true }));
    await connected({ table: "made", maxSize: 10, createTable: false });
  });
});
