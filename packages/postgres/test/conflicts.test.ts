import { describeWithServer } from "@cacheme/test-services/vitest";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { connected, observer, parts, record, texts, until } from "./place.js";

describeWithServer("postgres", "several at once", (server) => {
  it("a deadlock that another program brought about is tried again", async () => {
    const target = { ...parts(server()), options: "-c deadlock_timeout=20ms" };
    const storage = await connected(target, { table: "dead", commandTimeout: "20s" });
    const keys = ["a", "b", "c"];
    await storage.writeMany(keys.map((key) => record(key, "1")));
    const [first, second, other] = [
      await observer(server()),
      await observer(server()),
      await observer(server()),
    ];
    const hold = (key: string) => `UPDATE dead SET fresh_until = fresh_until WHERE key = '${key}'`;
    const waiting = async (count: number) => {
      const waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      await until(async () => (await other.query(waits)).rowCount === count);
    };
    await first.query(`BEGIN; ${hold("b")}`);
    await second.query(`BEGIN; ${hold("c")}`);
    const write = storage.writeMany(keys.map((key) => record(key, "2")));
    await waiting(1);
    // The write has a and waits for b; this waits for a; when b is free, the write waits for c, and so in a circle.
    const circle = second.query(hold("a"));
    await waiting(2);
    await first.query("COMMIT");
    // That this goes on means that the write was the one to be refused.
    await circle;
    await second.query("COMMIT");
    await write;
    expect(await texts(storage, ...keys)).toEqual(["2", "2", "2"]);
  });

  it("no removal, fill or write of theirs ever waits for another in a circle", async () => {
    const storages = await Promise.all(
      Array.from({ length: 8 }, () => connected(server().url, { table: "busy", commandTimeout: "30s" })),
    );
    const client = await observer(server());
    const deadlocks = async () =>
      (await client.query("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'")).rows[0]
        .deadlocks;
    const before = await deadlocks();
    const keys = Array.from({ length: 60 }, (_, index) => `${index}`);
    const shuffled = (seed: number) =>
      keys.toSorted((one, other) => ((Number(one) * seed) % 61) - ((Number(other) * seed) % 61));
    await Promise.all(
      storages.map(async (storage, index) => {
        for (let round = 1; round <= 15; round++) {
          const order = shuffled(index * 15 + round);
          const answers = await storage.leases!.acquire(
            order.map((key) => ({ key, duration: 60_000, steal: true })),
          );
          const leases = answers.map((answer, at) => ({
            key: order[at]!,
            token: answer.outcome === "granted" ? answer.token : "",
          }));
          await storage.leases!.fill(leases.map((lease) => ({ ...record(lease.key, "v"), ...lease })));
          await storage.leases!.release(leases);
          await storage.removeMany(shuffled(round + 1));
          await storage.generations!.bump(shuffled(round + 2), 60_000);
          await storage.writeMany(shuffled(round + 3).map((key) => record(key, "v")));
        }
      }),
    );
    expect(await deadlocks()).toBe(before);
  });

  it("the server stops a statement that nobody waits for any more", async () => {
    const storage = await connected(server().url, { table: "slow", commandTimeout: 300 });
    await storage.writeMany([record("a", "1")]);
    const [client, other] = [await observer(server()), await observer(server())];
    await client.query("BEGIN; UPDATE slow SET fresh_until = fresh_until");
    await expect(storage.writeMany([record("a", "2")])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
    });
    const running = "SELECT FROM pg_stat_activity WHERE application_name = 'cacheme' AND state = 'active'";
    await until(async () => (await other.query(running)).rowCount === 0);
    await client.query("COMMIT");
    expect(await texts(storage, "a")).toEqual(["1"]);
  });
});

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

  it("reads bytes as bytes, whatever the program has told pg of types", async () => {
    const own = pool({ types: { getTypeParser: () => () => "mine" } as never });
    const storage = await connected(own, { table: "own" });
    await storage.writeMany([record("a", "A")]);
    expect(await texts(storage, "a")).toEqual(["A"]);
    expect((await own.query("SELECT 1 AS one")).rows).toEqual([{ one: "mine" }]);
  });

  it("loses a connection on which a call was late, and no other", async () => {
    const own = pool({ max: 2 });
    const storage = await connected(own, { table: "own", commandTimeout: 200 });
    await storage.writeMany([record("a", "1")]);
    const client = await observer(server());
    await client.query("BEGIN; UPDATE own SET fresh_until = fresh_until");
    const removed = new Promise((resolve) => own.once("remove", resolve));
    await expect(storage.writeMany([record("a", "2")])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
    });
    await removed;
    await client.query("ROLLBACK");
    await storage.ping();
  });

  it("lends its connections in turn, and a call whose time is over by then is never sent", async () => {
    const own = pool({ max: 1 });
    const storage = await connected(own, { table: "own", commandTimeout: 100 });
    const taken = await own.connect();
    const late = ["x", "y", "z"].map((key) => storage.writeMany([record(key, "late")]));
    const outcomes = await Promise.allSettled(late);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    taken.release();
    expect(await texts(storage, "x", "y", "z")).toEqual([undefined, undefined, undefined]);
    expect(own.waitingCount).toBe(0);
  });

  it("says so when its owner has closed it", async () => {
    const own = pool();
    const storage = await connected(own, { table: "own" });
    await own.end();
    await expect(storage.ping()).rejects.toThrow("after calling end on the pool");
  });
});
