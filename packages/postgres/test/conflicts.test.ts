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

  it.each(["acquire", "fill", "release", "write", "remove", "bump"] as const)(
    "lock rows in the order of the keys: %s",
    async (operation) => {
      const table = `ordered_${operation}`;
      const storage = await connected(server().url, { table, commandTimeout: "30s" });
      const keys = ["b", "a"];
      const answers = await storage.leases!.acquire(keys.map((key) => ({ key, duration: 60_000 })));
      const leases = answers.map((answer, at) => ({
        key: keys[at]!,
        token: answer.outcome === "granted" ? answer.token : "",
      }));
      const calls = {
        acquire: () => storage.leases!.acquire(keys.map((key) => ({ key, duration: 60_000, steal: true }))),
        fill: () => storage.leases!.fill(leases.map((lease) => ({ ...record(lease.key, "v"), ...lease }))),
        release: () => storage.leases!.release(leases),
        write: () => storage.writeMany(keys.map((key) => record(key, "v"))),
        remove: () => storage.removeMany(keys),
        bump: () => storage.generations!.bump(keys, 60_000),
      };
      const [holder, other] = [await observer(server()), await observer(server())];
      await holder.query(`BEGIN; SELECT FROM ${table} WHERE key = 'a' FOR UPDATE`);
      const call = calls[operation]();
      const waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      await until(async () => (await other.query(waits)).rowCount === 1);
      // The call waits for the first row, so it must not have locked the second one.
      const second = await other.query(`SELECT FROM ${table} WHERE key = 'b' FOR UPDATE NOWAIT`);
      expect(second.rowCount).toBe(1);
      await holder.query("COMMIT");
      await call;
    },
  );

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
