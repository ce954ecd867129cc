import { describeWithServer } from "@cacheme/test-services/vitest";
import { expect, it } from "vitest";
import { postgres, postgresTable } from "../src/index.js";
import { connected, observer, record, until } from "./place.js";

describeWithServer("postgres", "maxSize", (server) => {
  it("removes the records that were written first, but no running lease", async () => {
    const client = await observer(server());
    const storage = await connected(server().url, {
      table: "bounded",
      sweepInterval: 5,
      commandTimeout: "30s",
      maxSize: 100,
    });
    const keys = Array.from({ length: 300 }, (_, index) => `${index}`);
    for (let at = 0; at < 300; at += 10) {
      await storage.writeMany(keys.slice(at, at + 10).map((key) => record(key, "value")));
      if (at === 20) await storage.leases?.acquire([{ key: "20", duration: 60_000, steal: true }]);
    }
    await storage.writeMany([record("5", "again")]);
    await storage.generations?.bump(["tag"], 60_000);
    const left = async () => (await client.query("SELECT key FROM bounded")).rows.map(({ key }) => key);
    await until(async () => (await left()).length <= 101);
    expect((await left()).sort()).toEqual(["20", "5", "tag", ...keys.slice(202)].sort());
  });

  it("removes a part of a batch, in several steps and from several processes at once", async () => {
    const client = await observer(server());
    const count = async () => Number((await client.query("SELECT count(*) FROM crowd")).rows[0].count);
    const options = { table: "crowd", sweepInterval: 5, commandTimeout: 30_000, maxSize: 500 };
    const storages = await Promise.all(Array.from({ length: 4 }, () => connected(server().url, options)));
    const batch = Array.from({ length: 3700 }, (_, index) => record(`${index}`, "value"));
    await storages[0]?.writeMany(batch);
    await until(async () => (await count()) <= 500);
    expect(await count()).toBe(500);
  });

  it("skips locked rows, and waits for nobody", async () => {
    const [client, other] = [await observer(server()), await observer(server())];
    const storage = await connected(server().url, {
      table: "locked",
      sweepInterval: 5,
      commandTimeout: "30s",
      maxSize: 1,
    });
    await storage.writeMany([record("held", "value")]);
    await client.query("BEGIN; SELECT FROM locked WHERE key = 'held' FOR UPDATE");
    for (const key of ["b", "c"]) await storage.writeMany([record(key, "value")]);
    const keys = async () => (await other.query("SELECT key FROM locked ORDER BY key")).rows;
    await until(async () => (await keys()).length === 2);
    expect(await keys()).toEqual([{ key: "c" }, { key: "held" }]);
    await client.query("COMMIT");
    await until(async () => (await keys()).length === 1);
  });

  it("needs an index, which the storage creates unless createTable is false", async () => {
    await connected(server().url, { table: "unbounded" });
    const storage = postgres(server().url, { table: "unbounded", maxSize: 10, createTable: false });
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("postgresTable({ bounded: true })"),
    });
    await (await observer(server())).query(postgresTable({ table: "unbounded", bounded: true }));
    await storage.connect();
    await storage.close();
  });
});
