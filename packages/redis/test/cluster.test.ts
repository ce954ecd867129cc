import { randomUUID } from "node:crypto";
import { type RedisCluster, startRedisCluster } from "@cacheme/test-services";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme";
import { KeyPattern } from "cacheme/driver";
import { Cluster } from "ioredis";
import { Cluster as Cluster56 } from "ioredis-5.6";
import { Cluster as Cluster6 } from "ioredis-6";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { redis } from "../src/index.js";
import { slotOf } from "../src/slot.js";
import { isMaster, moveSlot, portOf } from "./cluster-slots.js";
import { cleanupWithClients } from "./given-clients.js";
import { asked, wholeCluster } from "./several-servers.js";

const bytes = Buffer.from("value");

/** The nodes wait and vote for some seconds before a fail-over. No call waits so long. */
const failOver = { timeout: 20_000 };
const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
process.on("unhandledRejection", note);
afterAll(() => {
  process.off("unhandledRejection", note);
});
afterEach(() => {
  expect(unhandled.splice(0)).toEqual([]);
});

describeWithServer("redis", "a Redis Cluster", () => {
  let cluster: RedisCluster;
  let space: string;
  const { closing, after, given } = cleanupWithClients();
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.stop());
  beforeEach(() => {
    space = randomUUID();
  });

  const port = (index: number): number => cluster.nodes[index]!.port;
  const seeds = () => [{ host: "127.0.0.1", port: port(0) }];
  const kept = async (storage: RemoteStorage): Promise<RemoteStorage> => {
    await closing(storage).connect();
    return storage;
  };
  const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `${space}:${index}`);
  const recordsOf = (keys: readonly string[]) =>
    keys.map((key) => ({ key, bytes: Buffer.from(key), ttl: 600_000 }));
  const texts = (found: readonly (Uint8Array | undefined)[]) =>
    found.map((one) => one && Buffer.from(one).toString());

  const forms: [string, () => RemoteStorage][] = [
    ["an address", () => redis(`redis+cluster://127.0.0.1:${port(4)},127.0.0.1:1`)],
    ["options", () => redis({ cluster: seeds() })],
    ["options with a prefix", () => redis({ cluster: seeds(), keyPrefix: "app*{x:" })],
    ["a Cluster of ioredis 5.6", () => redis(given(new Cluster56(seeds())))],
    ["a Cluster of ioredis 5.11", () => redis(given(new Cluster(seeds())))],
    ["a Cluster of ioredis 6", () => redis(given(new Cluster6(seeds())))],
    [
      "a Cluster whose nodes pipeline by themselves",
      () => redis(given(new Cluster(seeds(), { redisOptions: { enableAutoPipelining: true } }))),
    ],
    ["a Cluster with a prefix", () => redis(given(new Cluster(seeds(), { keyPrefix: "own:" })))],
  ];

  describe.each(forms)("made from %s", (_, make) => {
    it("reads, writes and removes over all masters, in the order of the keys", async () => {
      const storage = await kept(make());
      const keys = [...keysOf(1000), `${space}:{tag}:a`, `${space}:{tag}:b`, `${space}:späße`];
      await storage.writeMany(recordsOf(keys));
      expect(texts(await storage.readMany([...keys, "none", keys[3]!]))).toEqual([
        ...keys,
        undefined,
        keys[3],
      ]);
      expect(await storage.removeMany([...keys, keys[0]!, "none"])).toBe(keys.length);
      expect(await storage.readMany(keys.slice(0, 2))).toEqual([undefined, undefined]);
    });

    it("scans every master, and reports them in its info", async () => {
      const storage = await kept(make());
      const keys = keysOf(300);
      await storage.writeMany(recordsOf(keys));
      const found = new Set<string>();
      for await (const page of storage.scan!(KeyPattern.startingWith(`${space}:`))) {
        for (const key of page) found.add(key);
      }
      expect([...found].sort()).toEqual(keys.toSorted());
      expect(await storage.info?.()).toMatchObject({
        server: expect.stringMatching(/^(Redis|Valkey) \d/),
        details: { mode: "cluster", masters: 3 },
      });
    });

    it("grants leases and makes generations on the key's node, also after the nodes forgot the scripts", async () => {
      const storage = await kept(make());
      const keys = keysOf(50);
      for (let turn = 0; turn < 2; turn++) {
        const requests = keys.map((key) => ({ key, duration: 60_000, steal: true }));
        const answers = await storage.leases!.acquire(requests);
        const filled = await storage.leases!.fill(
          answers.map((answer, index) => ({
            ...recordsOf(keys)[index]!,
            token: answer.outcome === "granted" ? answer.token : "",
          })),
        );
        expect(filled).toEqual(keys.map(() => true));
        const generations = await storage.generations!.ensure([`${space}:tag`], undefined);
        expect(await storage.generations!.ensure([`${space}:tag`], undefined)).toEqual(generations);
        for (const { port } of cluster.nodes) await asked(port, "script", "flush");
      }
    });

    it("loses no value and reports no error while slots move", async () => {
      const storage = await kept(make());
      const keys = keysOf(12).map((key) => `${key}:{${space}}`);
      const slot = slotOf(`{${space}}`);
      const prefixed = slotOf(`app*{x:${keys[0]}`);
      const slots = new Set([slot, prefixed]);
      const load = new CheckedLoad(storage, keys);
      await load.turns(20);
      for (const moving of slots) {
        const from = await portOf(cluster, moving);
        const masters = [];
        for (const node of cluster.nodes) if (await isMaster(node.port)) masters.push(node.port);
        const target = masters.find((one) => one !== from)!;
        await moveSlot(cluster, moving, from, target);
        await load.turns(20);
        await moveSlot(cluster, moving, target, from);
      }
      await load.turns(20);
      await load.end();
      expect(load.faults).toEqual([]);
    });
  });

  it("makes one round trip per node for a batch of any size", async () => {
    const proxies = await Promise.all(cluster.nodes.map((node) => node.proxy()));
    after(() => Promise.all(proxies.map((proxy) => proxy.close())));
    const natMap = Object.fromEntries(
      cluster.nodes.map(({ port }, index) => [
        `127.0.0.1:${port}`,
        { host: "127.0.0.1", port: proxies[index]!.port },
      ]),
    );
    const storage = await kept(redis({ cluster: seeds(), natMap }));
    const keys = keysOf(1000);
    await storage.ping();
    const trips = async (act: () => Promise<unknown>) => {
      for (const proxy of proxies) {
        proxy.latency(20);
        proxy.resetCounts();
      }
      await act();
      return proxies.map(({ counts }) => counts.roundTrips).sort();
    };
    const once = [0, 0, 0, 1, 1, 1];
    expect(await trips(() => storage.writeMany(recordsOf(keys)))).toEqual(once);
    expect(await trips(() => storage.readMany(keys))).toEqual(once);
    expect(
      await trips(() => storage.leases!.acquire(keys.map((key) => ({ key, duration: 1000, steal: true })))),
    ).toEqual(once);
    expect(await trips(() => storage.removeMany(keys))).toEqual(once);
  });

  it("says how to write the address if a node is used as a single server", async () => {
    const storage = redis(`redis://127.0.0.1:${port(0)}`);
    const keys = ["a", "b", "c", "d"].map((name) => `${space}:${name}`);
    // The trial's key may happen to be the node's.
    const using = storage.connect().then(() => storage.readMany(keys));
    await expect(using).rejects.toThrow(/(MOVED|CROSSSLOT).*redis\+cluster:\/\//);
    await storage.close();
  });

  it("computes a key's slot as the server does", async () => {
    const keys = ["", "123456789", "{}a{b}", "{a}b", "a{{b}}c", "späße {日本}", "🙂", "a}{b}"];
    for (const key of [...keys, ...keysOf(20)]) {
      if (key !== "") expect(String(slotOf(key))).toBe(await asked(port(0), "cluster", "keyslot", key));
    }
  });

  describe.each([
    [
      "connections of its own",
      () => redis({ cluster: seeds() }, { commandTimeout: 500, connectTimeout: 1000 }),
    ],
    [
      "a Cluster of ioredis 5",
      () =>
        redis(given(new Cluster(seeds(), { redisOptions: { socketTimeout: 500, connectTimeout: 500 } })), {
          commandTimeout: 500,
        }),
    ],
    [
      "a Cluster of ioredis 6",
      () =>
        redis(given(new Cluster6(seeds(), { redisOptions: { socketTimeout: 500, connectTimeout: 500 } })), {
          commandTimeout: 500,
        }),
    ],
  ])("with %s", (_, make) => {
    it.each(["killed", "stopped"])(
      "continues with the replica of a master that is %s",
      failOver,
      async (harm) => {
        const storage = await kept(make());
        const keys = keysOf(100);
        await storage.writeMany(recordsOf(keys));
        const masters = [];
        for (const node of cluster.nodes) if (await isMaster(node.port)) masters.push(node);
        const victim = masters[0]!;
        const load = new CheckedLoad(storage, keysOf(30));
        await load.turns(10);
        await (harm === "killed" ? victim.kill() : victim.pause());
        const others = cluster.nodes.filter((node) => node !== victim);
        await until(async () => {
          const roles = await Promise.all(others.map((node) => isMaster(node.port)));
          return roles.filter(Boolean).length === 3;
        });
        await until(async () => {
          await storage.writeMany(recordsOf(keys));
          return texts(await storage.readMany(keys)).every((text, index) => text === keys[index]);
        });
        await storage.ping();
        await load.end();
        expect(load.wrong).toEqual([]);
        expect(load.longest).toBeLessThan(500 + 1000);
        await (harm === "killed" ? victim.restart() : victim.resume());
        await until(async () =>
          (await asked(victim.port, "info", "replication")).includes("master_link_status:up"),
        );
        await wholeCluster(cluster).resume();
        await storage.writeMany([{ key: keys[0]!, bytes, ttl: 60_000 }]);
      },
    );
  });
});

/** Writes and reads again and again, and notes wrong values and errors. */
class CheckedLoad {
  /** Errors, and values other than the written one. */
  readonly faults: unknown[] = [];
  readonly wrong: unknown[] = [];
  /** Milliseconds of the slowest call. */
  longest = 0;
  #turns = 0;
  #isOver = false;
  readonly #workers: Promise<void>[];

  constructor(storage: RemoteStorage, keys: readonly string[]) {
    this.#workers = keys.map((key) => this.#work(storage, [key, `${key}:other`, `${key}:third`]));
  }

  async turns(count: number): Promise<void> {
    const end = this.#turns + count * this.#workers.length;
    while (this.#turns < end && this.faults.length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#workers);
  }

  async #work(storage: RemoteStorage, keys: readonly string[]): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const value = `${turn}`;
      const written = await this.#timed(() =>
        storage.writeMany(keys.map((key) => ({ key, bytes: Buffer.from(value), ttl: 60_000 }))),
      );
      if (written !== undefined) {
        const found = await this.#timed(() => storage.readMany(keys));
        for (const one of found?.value ?? []) {
          // A fail-over may lose an acknowledged write, but never changes it.
          const text = one && Buffer.from(one).toString();
          if (text !== value) this.faults.push(`${text} in place of ${value}`);
          if (text !== undefined && Number(text) > turn) this.wrong.push(`${text} in place of ${value}`);
        }
      }
      this.#turns++;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #timed<T>(call: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    const began = performance.now();
    try {
      return { value: await call() };
    } catch (error) {
      this.faults.push(error);
      return undefined;
    } finally {
      this.longest = Math.max(this.longest, performance.now() - began);
    }
  }
}
