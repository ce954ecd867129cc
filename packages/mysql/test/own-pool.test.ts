import { describeWithServer } from "@cacheme/test-services/vitest";
import { generationFrom, KeyPattern, type RemoteStorage } from "cacheme/driver";
import { createPool, type Pool, type PoolOptions } from "mysql2";
import { createPool as createPromisePool } from "mysql2/promise";
import { afterEach, expect, it } from "vitest";
import { mysql } from "../src/index.js";

/** Settings of a program, each of which changes what a careless storage would read. */
const settings: PoolOptions = {
  bigNumberStrings: true,
  connectionLimit: 3,
  dateStrings: true,
  decimalNumbers: true,
  namedPlaceholders: true,
  nestTables: "_",
  queryFormat: () => "SELECT 'not what was asked'",
  rowsAsArray: false,
  supportBigNumbers: true,
  timezone: "+05:45",
  typeCast: () => "the program's own",
};

describeWithServer("mysql", "a pool of the program's own", (server) => {
  const pools: { end(): unknown }[] = [];
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.end();
  });

  function pool(options: PoolOptions = {}): Pool {
    const made = createPool({ uri: server().url, ...options });
    pools.push({ end: () => made.promise().end() });
    return made;
  }

  async function works(storage: RemoteStorage): Promise<void> {
    await storage.connect();
    const bytes = Buffer.from([0, 0x27, 0x5c, 0xff]);
    await storage.writeMany([
      { key: "ours:'a\\", bytes, ttl: 60_000 },
      { key: "ours:b", bytes, ttl: undefined },
    ]);
    expect(await storage.readMany(["ours:'a\\", "ours:none", "ours:b"])).toEqual([bytes, undefined, bytes]);
    const pages = [];
    for await (const page of storage.scan?.(KeyPattern.startingWith("ours:")) ?? []) pages.push(...page);
    expect(pages.sort()).toEqual(["ours:'a\\", "ours:b"]);
    const [answer] = (await storage.leases?.acquire([{ key: "ours:lease", duration: 60_000 }])) ?? [];
    const token = answer?.outcome === "granted" ? answer.token : "";
    expect(answer).toMatchObject({ outcome: "granted", at: expect.any(Number) });
    const longer = [{ key: "ours:lease", token, duration: 60_000 }];
    for (let time = 0; time < 5; time++) expect(await storage.leases?.extend?.(longer)).toEqual([true]);
    expect(await storage.leases?.release([{ key: "ours:lease", token }])).toEqual([true]);
    expect(await storage.leases?.extend?.(longer)).toEqual([false]);
    const [next] = (await storage.leases?.acquire([{ key: "ours:lease", duration: 60_000 }])) ?? [];
    expect(next).toMatchObject({ outcome: "granted", at: expect.any(Number) });
    const nextToken = next?.outcome === "granted" ? next.token : "";
    const filled = { key: "ours:lease", bytes, ttl: 1000 };
    expect(await storage.leases?.fill([{ ...filled, token }])).toEqual([false]);
    expect(await storage.leases?.fill([{ ...filled, token: nextToken }])).toEqual([true]);
    for (const [seen, outcome] of [[Buffer.from("other"), "fresh"] as const, [bytes, "granted"] as const]) {
      const request = { key: "ours:a", duration: 60_000, seen };
      await storage.writeMany([{ key: "ours:a", bytes, ttl: 60_000 }]);
      expect(await storage.leases?.acquire([request])).toMatchObject([{ outcome }]);
    }
    const [generation] = (await storage.generations?.bump(["ours:tag"], 60_000)) ?? [];
    expect(generationFrom((await storage.readMany(["ours:tag"]))[0])).toEqual(generation);
    expect(await storage.generations?.ensure(["ours:tag"], 120_000)).toEqual([generation]);
    expect(Math.abs((answer as { at: number }).at - (generation?.at ?? 0))).toBeLessThan(60_000);
    expect(await storage.removeMany(["ours:'a\\", "ours:b", "ours:a", "ours:lease", "ours:tag"])).toBe(5);
    expect((await storage.info?.())?.server).toMatch(/^(MariaDB|MySQL) \d+\.\d+/);
  }

  it("serves a storage, and stays open when that is closed", async () => {
    const own = pool();
    const storage = mysql(own);
    await works(storage);
    await storage.close();
    const [rows] = await own.promise().query("SELECT 1 AS one");
    expect(rows).toEqual([{ one: 1 }]);
  });

  it("may be one of mysql2/promise", async () => {
    const own = createPromisePool(server().url);
    pools.push(own);
    await works(mysql(own));
  });

  it("may have settings of every kind", async () => {
    await works(mysql(pool(settings)));
  });

  it("may count only the rows whose values a statement changes", async () => {
    await works(mysql(pool({ flags: ["-FOUND_ROWS"] })));
  });

  it.each([
    "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE",
    "ORACLE",
    "SIMULTANEOUS_ASSIGNMENT",
    "TRADITIONAL",
    "",
  ])("may have sessions with the sql_mode %j, another time zone and another character set", async (mode) => {
    const own = pool();
    own.on("connection", (connection) => {
      connection.query(`SET SESSION sql_mode = '${mode}', time_zone = '-11:00', NAMES latin1`);
    });
    await works(mysql(own));
  });

  it("is refused if values of no bytes would be lost", async () => {
    const own = pool();
    own.on("connection", (connection) => {
      connection.query("SET SESSION sql_mode = 'EMPTY_STRING_IS_NULL'");
    });
    await expect(mysql(own).connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("EMPTY_STRING_IS_NULL"),
    });
  });

  it("is refused if autocommit is off, because nothing would be kept", async () => {
    const own = pool();
    own.on("connection", (connection) => {
      connection.query("SET SESSION autocommit = 0");
    });
    await expect(mysql(own).connect()).rejects.toThrow("autocommit is off");
  });

  it("loses only the connections that do not answer, and is used again when the server goes on", async () => {
    const own = pool({ connectionLimit: 2 });
    const storage = mysql(own, { commandTimeout: 300 });
    await storage.connect();
    await server().pause();
    const calls = Array.from({ length: 10 }, () => storage.readMany(["a"]));
    const outcomes = await Promise.allSettled(calls);
    await server().resume();
    expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => "rejected"));
    await expect
      .poll(() => storage.readMany(["a"]).catch(() => "fails"), { timeout: 20_000 })
      .toEqual([undefined]);
  });
});
