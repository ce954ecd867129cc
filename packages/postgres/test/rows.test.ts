import { describeWithServer } from "@cacheme/test-services/vitest";
import { KeyPattern } from "cacheme/driver";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { connected, observer, parts, record, texts, until } from "./place.js";

describeWithServer("postgres", "rows", (server) => {
  it("of long keys are found, leased, scanned and removed like others", async () => {
    const storage = await connected(server().url, { table: "long_keys" });
    const start = "語".repeat(250);
    const keys = [start, start.padEnd(600, "a"), start.padEnd(601, "a"), start.padEnd(2000, "本")];
    await storage.writeMany(keys.map((key) => record(key, `${key.length}`)));
    await storage.writeMany([record("other", "other")]);
    expect(await texts(storage, ...keys)).toEqual(["250", "600", "601", "2000"]);

    const found: string[] = [];
    for await (const page of storage.scan!(KeyPattern.startingWith(start))) found.push(...page);
    expect(found.sort()).toEqual(keys.toSorted());
    const ends: string[] = [];
    for await (const page of storage.scan!(KeyPattern.of(start, "本"))) ends.push(...page);
    expect(ends).toEqual([keys[3]]);

    const [answer] = await storage.leases!.acquire([{ key: keys[3]!, duration: 60_000, steal: true }]);
    const token = answer?.outcome === "granted" ? answer.token : "";
    expect(await storage.leases!.fill([{ ...record(keys[3]!, "filled"), token }])).toEqual([true]);
    expect(await texts(storage, keys[3]!)).toEqual(["filled"]);
    expect(await storage.removeMany(keys)).toBe(4);
  });

  it("are read if the server writes bytes in its old form", async () => {
    const target = { ...parts(server()), options: "-c bytea_output=escape" };
    const storage = await connected(target, { table: "escaped" });
    const every = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await storage.writeMany([{ key: "a", bytes: every, ttl: undefined }]);
    expect(Buffer.from((await storage.readMany(["a"]))[0]!)).toEqual(every);
  });

  it("are swept if they have expired", async () => {
    const client = await observer(server());
    const storage = await connected(server().url, { table: "swept", sweepInterval: 5 });
    const expired = Array.from({ length: 2500 }, (_, index) => record(`${index}`, "value", 1));
    await storage.writeMany([
      ...expired,
      record("long", "value"),
      { ...record("ever", "value"), ttl: undefined },
    ]);
    await storage.leases?.acquire([
      { key: "leased", duration: 60_000 },
      { key: "was leased", duration: 1 },
    ]);
    const keys = async () =>
      (await client.query("SELECT key FROM swept ORDER BY key")).rows.map(({ key }) => key);
    await until(async () => (await keys()).length <= 3);
    expect(await keys()).toEqual(["ever", "leased", "long"]);
  });

  it("are skipped by the sweeper while they are locked", async () => {
    const client = await observer(server());
    const storage = await connected(server().url, { table: "held", sweepInterval: "10m" });
    await storage.writeMany([record("held", "value", 1), record("free", "value", 1)]);
    await client.query("BEGIN; SELECT FROM held WHERE key = 'held' FOR UPDATE");
    await connected(server().url, { table: "held", sweepInterval: 5 });
    const other = await observer(server());
    const count = async () => Number((await other.query("SELECT count(*) FROM held")).rows[0].count);
    await until(async () => (await count()) === 1);
    await client.query("COMMIT");
    await until(async () => (await count()) === 0);
  });

  it("are found by the index, even by plans of an empty table", async () => {
    const pool = new pg.Pool({ connectionString: server().url, max: 1 });
    onTestFinished(() => pool.end());
    const storage = await connected(pool, { table: "grown", commandTimeout: "30s" });
    await pool.query("ALTER TABLE grown SET (autovacuum_enabled = false)");
    const keys = Array.from({ length: 20 }, (_, index) => `hot:${index}`);
    const everything = async () => {
      const answers = await storage.leases!.acquire(
        keys.map((key) => ({ key, duration: 60_000, steal: true })),
      );
      const leases = answers.map((answer, index) => ({
        key: keys[index]!,
        token: answer.outcome === "granted" ? answer.token : "",
      }));
      await storage.leases!.fill(leases.map((lease) => ({ ...record(lease.key, "value"), ...lease })));
      await storage.leases!.release(leases);
      await storage.leases!.acquire(keys.map((key) => ({ key, duration: 60_000 })));
      await storage.readMany(keys);
      await storage.removeMany(keys);
      await storage.generations!.ensure(keys, 60_000);
      await storage.generations!.ensure(keys, 60_000);
      await storage.generations!.bump(keys, 60_000);
    };
    // The server keeps one plan for a prepared statement after five executions.
    for (let round = 0; round < 6; round++) await everything();
    const rows = Array.from({ length: 20_000 }, (_, index) => record(`${index}`, "value"));
    await storage.writeMany(rows);
    const scans = async () => {
      await pool.query("SELECT pg_stat_force_next_flush()");
      const figure = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'grown'";
      return Number((await pool.query(figure)).rows[0].seq_scan);
    };
    const before = await scans();
    await everything();
    expect((await scans()) - before).toBe(0);
  });
});
