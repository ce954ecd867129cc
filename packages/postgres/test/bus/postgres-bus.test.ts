import { randomUUID } from "node:crypto";
import { type Server, startPgBouncer } from "@cacheme/test-services";
import {
  expectGivenUp,
  member,
  refused,
  testBusTrouble,
  untilHeard,
} from "@cacheme/test-services/bus/bus-trouble-tests";
import { joined } from "@cacheme/test-services/bus/receiver";
import { cleanup, until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresBus } from "../../src/index.js";

const quick = { commandTimeout: 500, connectTimeout: 2000 } as const;

describeWithServer("postgres", "postgresBus()", (server) => {
  const { closing, after } = cleanup();
  const channel = () => ({ ...quick, channel: `a "channel" ${randomUUID()}` });

  async function client(): Promise<pg.Client> {
    const made = new pg.Client(server().url);
    made.on("error", () => {});
    await made.connect();
    after(() => made.end());
    return made;
  }

  function pool(): pg.Pool {
    const made = new pg.Pool({ connectionString: server().url });
    made.on("error", () => {});
    after(() => made.end());
    return made;
  }

  describe.each<[string, () => Parameters<typeof postgresBus>[0]]>([
    ["an address", () => server().url],
    [
      "options of pg",
      () => ({ host: "127.0.0.1", port: server().port, user: "cacheme", database: "postgres" }),
    ],
    ["a pool of pg", pool],
  ])("over %s", (_, target) => {
    it("brings each message to every receiver, the sender included, in order", async () => {
      const options = channel();
      const [one, other] = [
        await member(postgresBus(target(), options), closing),
        await member(postgresBus(target(), options), closing),
      ];
      await one.connection.publish(["a", "ü ' \\ $1", "c"]);
      await other.connection.publish(["x".repeat(7_999)]);
      await until(() => one.recorder.reports.length === 5 && other.recorder.reports.length === 5);
      const expected = ["subscribed", "a", "ü ' \\ $1", "c", "x".repeat(7_999)];
      expect(one.recorder.reports).toEqual(expected);
      expect(other.recorder.reports).toEqual(expected);
      expect(one.connection.longestMessage).toBe(7_999);
    });

    it("subscribes again after its connections were ended, and misses nothing from then on", async () => {
      const options = channel();
      const { recorder, connection } = await member(postgresBus(target(), options), closing);
      const sender = await client();
      let expected = 0;
      recorder.reported = (report) => {
        if (report !== "subscribed") return;
        void sender.query("SELECT pg_notify($1, $2)", [options.channel, `after ${++expected}`]);
      };
      for (let time = 1; time <= 3; time++) {
        await sender.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE $1",
          [`LISTEN%${options.channel.slice(-36)}%`],
        );
        await until(() => recorder.reports.includes(`after ${time}`));
      }
      expect(recorder.count("subscribed")).toBe(4);
      await connection.publish(["still"]);
      await until(() => recorder.reports.includes("still"));
    });
  });

  testBusTrouble({ server, bus: (url, more) => postgresBus(url, { ...channel(), ...more }), closing });

  it("gives a message up in time if the network is silent, and comes back by itself", async () => {
    const proxy = await server().proxy();
    const { recorder, connection } = await member(postgresBus(proxy.url, channel()), closing);
    proxy.partition();
    await expectGivenUp(connection);
    await proxy.heal();
    connection.restart(new Error("deaf")); // Its heartbeats do not come back.
    await until(() => recorder.count("subscribed") === 2);
    await untilHeard({ recorder, connection }, "b");
  });

  it("reports nothing after close, and ends no pool of the program", async () => {
    const given = pool();
    const options = channel();
    const { recorder, connection } = await joined(postgresBus(given, options));
    await connection.close();
    await given.query("SELECT pg_notify($1, 'late')", [options.channel]);
    expect(recorder.reports).toEqual(["subscribed"]);
    expect(given.totalCount).toBe(1);
  });

  it("says why it cannot be used", async () => {
    const proxy = await server().proxy();
    await proxy.refuse();
    expect(await refused(postgresBus(proxy.url, quick))).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringContaining(`postgres://127.0.0.1:${proxy.port}/postgres`),
    });
    const unknown = `postgres://cacheme:secret@127.0.0.1:${server().port}/unknown`;
    expect(await refused(postgresBus(unknown, quick))).toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.not.stringContaining("secret"),
    });
  });

  it.each<[string, () => unknown, string]>([
    [
      "an unknown option",
      () => postgresBus("postgres://a", { chanel: "x" } as never),
      'has no option "chanel"',
    ],
    ["an empty channel", () => postgresBus("postgres://a", { channel: "" }), "1 to 63 bytes"],
    ["a long channel", () => postgresBus("postgres://a", { channel: "ü".repeat(32) }), "1 to 63 bytes"],
    ["a number", () => postgresBus(7 as never), "postgres() was given 7"],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION", message: expect.stringContaining(message) }),
    );
  });

  describeWithServer("pgbouncer", "behind PgBouncer", () => {
    let transaction: Server;
    let session: Server;
    beforeAll(async () => {
      [transaction, session] = await Promise.all([
        startPgBouncer(server().port, "transaction"),
        startPgBouncer(server().port, "session"),
      ]);
    });
    afterAll(async () => {
      await Promise.all([transaction?.stop(), session?.stop()]);
    });

    it("is refused in transaction mode, where it would be deaf", async () => {
      expect(await refused(postgresBus(transaction.url, channel()))).toMatchObject({
        code: "CACHEME_CONNECT_REFUSED",
        message: expect.stringMatching(/PgBouncer in transaction mode is in between.*session mode/),
      });
    });

    it("works in session mode", async () => {
      const { recorder, connection } = await member(postgresBus(session.url, channel()), closing);
      await connection.publish(["a"]);
      await until(() => recorder.reports.includes("a"));
    });

    it("passes a test of the listening connection itself in transaction mode, although it is deaf", async () => {
      const listener = new pg.Client(transaction.url);
      await listener.connect();
      after(() => listener.end());
      const heard: (string | undefined)[] = [];
      listener.on("notification", ({ payload }) => heard.push(payload));
      await listener.query("LISTEN cacheme_fact");
      await listener.query("NOTIFY cacheme_fact, 'own'");
      expect(heard).toEqual(["own"]);
      const other = new pg.Client(server().url);
      await other.connect();
      after(() => other.end());
      await other.query("NOTIFY cacheme_fact, 'other'");
      const { rows } = await other.query("SELECT 1 AS one");
      expect(rows).toEqual([{ one: 1 }]);
      expect(heard).toEqual(["own"]);
      const { rows: pids } = await listener.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      expect(pids[0]?.pid).not.toBe((listener as unknown as { processID: number }).processID);
    });
  });
});

describeWithServer("postgres", "the facts behind postgresBus()", (server) => {
  const { after } = cleanup();
  const name = () => `fact_${randomUUID().replaceAll("-", "")}`;

  /** A client, and the payloads that it has heard. */
  async function listener(): Promise<{ client: pg.Client; heard: (string | undefined)[] }> {
    const client = new pg.Client(server().url);
    await client.connect();
    after(() => client.end());
    const heard: (string | undefined)[] = [];
    client.on("notification", ({ payload }) => heard.push(payload));
    return { client, heard };
  }

  it("a payload has at most 7,999 bytes, and the name of a channel 63", async () => {
    const { client, heard } = await listener();
    const channel = name();
    await client.query(`LISTEN ${channel}`);
    await client.query("SELECT pg_notify($1, $2)", [channel, "x".repeat(7_999)]);
    await expect(client.query("SELECT pg_notify($1, $2)", [channel, "x".repeat(8_000)])).rejects.toThrow(
      "payload string too long",
    );
    expect(heard).toEqual(["x".repeat(7_999)]);
    await client.query("SELECT pg_notify($1, '')", ["c".repeat(63)]);
    await expect(client.query("SELECT pg_notify($1, '')", ["c".repeat(64)])).rejects.toThrow(
      "channel name too long",
    );
  });

  it("equal messages of one transaction become one", async () => {
    const { client, heard } = await listener();
    const channel = name();
    await client.query(`LISTEN ${channel}`);
    await client.query("SELECT pg_notify($1, m) FROM unnest($2::text[]) m", [channel, ["a", "b", "a"]]);
    await client.query("SELECT pg_notify($1, 'a')", [channel]);
    expect(heard).toEqual(["a", "b", "a"]);
  });

  it("a listener inside a transaction hears at its end", async () => {
    const [{ client, heard }, other] = [await listener(), await listener()];
    const channel = name();
    await client.query(`LISTEN ${channel}`);
    await client.query("BEGIN");
    await other.client.query("SELECT pg_notify($1, 'a')", [channel]);
    await client.query("SELECT 1");
    expect(heard).toEqual([]);
    await client.query("COMMIT");
    await client.query("SELECT 1");
    expect(heard).toEqual(["a"]);
  });

  it("a pool of pg ends an idle listener", async () => {
    const pool = new pg.Pool({ connectionString: server().url, idleTimeoutMillis: 20 });
    after(() => pool.end());
    const borrowed = await pool.connect();
    const ended = new Promise((resolve) => borrowed.once("end", resolve));
    await borrowed.query(`LISTEN ${name()}`);
    borrowed.release();
    await ended;
    expect(pool.totalCount).toBe(0);
  });
});
