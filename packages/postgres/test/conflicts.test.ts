import { describeWithServer } from "@cacheme/test-services/vitest";
import { expect, it } from "vitest";
import { connected, observer, parts, record, texts, until } from "./place.js";

describeWithServer("postgres", "concurrent calls", (server) => {
  it("send a statement again after a deadlock that another program caused", async () => {
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
    // The write has a and waits for b. This waits for a. When b is free, the write waits for c: a
    // circle.
    const circle = second.query(hold("a"));
    await waiting(2);
    await first.query("COMMIT");
    // This goes on only if the server refused the write.
    await circle;
    await second.query("COMMIT");
    await write;
    expect(await texts(storage, ...keys)).toEqual(["2", "2", "2"]);
  });

  it("never deadlock with their removals, fills and writes", async () => {
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

  it("have the server stop a statement that nobody waits for", async () => {
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
