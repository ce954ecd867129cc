import { advance, advanceableClock, advanceableTimers } from "@cacheme/test-services/timers";
import { describeWithServer } from "@cacheme/test-services/vitest";
import pg from "pg";
import { expect, it, onTestFinished, vi } from "vitest";
import { connected, observer, record, texts, until } from "./place.js";

// The deadlines of calls pass when a test advances the time.
vi.mock("node:timers", async (original) => advanceableTimers(await original()));
vi.mock("node:perf_hooks", async (original) => advanceableClock(await original()));

const commandTimeout = 30_000;

describeWithServer("postgres", "a Pool of the program's own", (server) => {
  function pool(options: pg.PoolConfig = {}): pg.Pool {
    const made = new pg.Pool({ connectionString: server().url, application_name: "mine", ...options });
    made.on("error", () => {});
    onTestFinished(() => (made.ended ? undefined : made.end()));
    return made;
  }

  it("is used with its settings, and is not closed", async () => {
    const own = pool({ max: 2 });
    const storage = await connected(own, { table: "own" });
    expect(storage.label).toBe(`postgres://127.0.0.1:${server().port}/postgres`);
    await Promise.all(Array.from({ length: 20 }, (_, index) => storage.writeMany([record(`${index}`, "v")])));
    expect(own.totalCount).toBe(2);
    const { rows } = await own.query(
      "SELECT DISTINCT application_name FROM pg_stat_activity WHERE query LIKE '%\"own\"%'",
    );
    expect(rows).toEqual([{ application_name: "mine" }]);
    await storage.close();
    expect((await own.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  it("reads bytes as bytes, whatever parsers the program gave to pg", async () => {
    const own = pool({ types: { getTypeParser: () => () => "mine" } as never });
    const storage = await connected(own, { table: "own" });
    await storage.writeMany([record("a", "A")]);
    expect(await texts(storage, "a")).toEqual(["A"]);
    expect((await own.query("SELECT 1 AS one")).rows).toEqual([{ one: "mine" }]);
  });

  it("loses a connection on which a call was late, and no other", async () => {
    const own = pool({ max: 2 });
    const storage = await connected(own, { table: "own", commandTimeout });
    await storage.writeMany([record("a", "1")]);
    const client = await observer(server());
    await client.query("BEGIN; UPDATE own SET fresh_until = fresh_until");
    const removed = new Promise((resolve) => own.once("remove", resolve));
    const late = storage.writeMany([record("a", "2")]).catch((error: unknown) => error);
    const blocked =
      "SELECT FROM pg_stat_activity WHERE application_name = 'mine' AND wait_event_type = 'Lock'";
    const other = await observer(server());
    await until(async () => (await other.query(blocked)).rowCount === 1);
    advance(commandTimeout);
    expect(await late).toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
    await removed;
    await client.query("ROLLBACK");
    await storage.ping();
  });

  it("lends its connections in turn, and a call is never sent after its deadline", async () => {
    const own = pool({ max: 1 });
    const storage = await connected(own, { table: "own", commandTimeout });
    const taken = await own.connect();
    const late = ["x", "y", "z"].map((key) => storage.writeMany([record(key, "late")]));
    advance(commandTimeout);
    const outcomes = await Promise.allSettled(late);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    taken.release();
    expect(await texts(storage, "x", "y", "z")).toEqual([undefined, undefined, undefined]);
    expect(own.waitingCount).toBe(0);
  });

  it("may forget its prepared statements: the call after the next one prepares them again", async () => {
    const own = pool({ max: 1 });
    const storage = await connected(own, { table: "own" });
    await storage.writeMany([record("a", "A")]);
    await own.query("DISCARD ALL");
    await expect(storage.writeMany([record("a", "B")])).rejects.toThrow("give prepare: false");
    await storage.writeMany([record("a", "C")]);
    expect(await texts(storage, "a")).toEqual(["C"]);
  });

  it("says so when its owner has closed it", async () => {
    const own = pool();
    const storage = await connected(own, { table: "own" });
    await own.end();
    await expect(storage.ping()).rejects.toThrow("after calling end on the pool");
  });
});
