import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { ServerProxy } from "@cacheme/test-services";
import { cleanup, until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Cacheme, defineNode, IncompleteError, type Node } from "cacheme";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { redis } from "../src/index.js";

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
process.on("unhandledRejection", note);
process.on("uncaughtException", note);
afterAll(() => {
  process.off("unhandledRejection", note);
  process.off("uncaughtException", note);
});
afterEach(() => expect(unhandled.splice(0)).toEqual([]));

/** The number of keys that the load reads and changes. */
const keys = 20;

/** The source of truth: a version for each key. */
const source = Array.from({ length: keys }, () => 0);

/** Two processes that share a Redis, and readers and writers that use them without a pause. */
class Load {
  readonly name = `trouble-${randomUUID()}`;
  readonly one = new Cacheme();
  readonly other = new Cacheme();
  reads = 0;
  /** Milliseconds of the slowest read. */
  slowest = 0;
  readonly faults: string[] = [];
  incomplete = 0;
  /** The version of the last invalidation of each key that has been acknowledged. */
  readonly #acknowledged = source.map(() => 0);
  readonly #asked = source.map(() => 0);
  #isOver = false;
  #workers: Promise<void>[] = [];
  readonly node: (id: number) => Node<number>;

  constructor() {
    this.node = defineNode({
      name: this.name,
      caches: [{ storage: "redis", ttl: "10m" }],
      key: (id: number) => `${id}`,
      load: async (id: number) => {
        const version = source[id] ?? 0;
        await wait(1);
        return version;
      },
    });
  }

  async begin(url: string): Promise<void> {
    for (const cacheme of [this.one, this.other]) {
      await cacheme.registerStorage("redis", redis(url, { commandTimeout: 500, connectTimeout: 500 }), {
        breaker: { pause: 100, longestPause: 400 },
      });
    }
    this.#workers = [
      ...Array.from({ length: 8 }, (_, id) => this.#read(this.one, id, this.#asked)),
      // Readers of the other process only expect what was acknowledged.
      ...Array.from({ length: 4 }, (_, id) => this.#read(this.other, id, this.#acknowledged)),
      ...Array.from({ length: 2 }, (_, id) => this.#write(id)),
    ];
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#workers);
    await Promise.all([this.one.close(), this.other.close()]);
  }

  get status() {
    return [this.one, this.other].map((cacheme) => cacheme.storages()[0]);
  }

  async #read(cacheme: Cacheme, start: number, known: readonly number[]): Promise<void> {
    for (let turn = start; !this.#isOver; turn++) {
      const id = turn % keys;
      const oldest = known[id] ?? 0;
      const started = performance.now();
      try {
        const version = await cacheme.get(this.node(id));
        if (version < oldest) this.faults.push(`key ${id}: ${version} after ${oldest} was acknowledged`);
        this.reads += 1;
      } catch (error) {
        this.faults.push(`a read rejected: ${error}`);
      }
      this.slowest = Math.max(this.slowest, performance.now() - started);
      await wait(1);
    }
  }

  async #write(start: number): Promise<void> {
    for (let turn = start; !this.#isOver; turn += 2) {
      const id = turn % keys;
      const version = (source[id] ?? 0) + 1;
      source[id] = version;
      try {
        await this.one.invalidate(this.node(id));
        this.#acknowledged[id] = version;
      } catch (error) {
        if (error instanceof IncompleteError) this.incomplete += 1;
        else this.faults.push(`an invalidation rejected: ${error}`);
      }
      this.#asked[id] = version; // This process hides what it could not remove.
      await wait(5);
    }
  }
}

describeWithServer("redis", "reads under load while the server is in trouble", (server) => {
  const { after } = cleanup();
  let proxy: ServerProxy;
  beforeEach(async () => {
    after(() => server().restart());
    proxy = await server().proxy();
    after(() => proxy.close());
  });

  async function configure(...setting: [string, string]): Promise<void> {
    const client = new Redis(server().url);
    await client.config("SET", ...setting);
    client.disconnect();
  }

  async function emptied(): Promise<void> {
    const client = new Redis(server().url);
    await client.flushall();
    client.disconnect();
    await server().kill();
  }

  /** Waits until both processes use the server again, and all is removed that was to be. */
  async function recovered(load: Load): Promise<void> {
    await until(() =>
      load.status.every((status) => status?.breaker === "closed" && status.pendingRemovals === 0),
    );
    const { name } = load;
    const hits = () => load.other.stats().hits["redis"] ?? 0;
    const before = hits();
    await until(() => hits() > before + 10);
    expect(load.other.nodes()).toMatchObject([{ name }]);
  }

  it.each<[string, number, () => Promise<void> | void, () => Promise<void>]>([
    ["is killed and comes back with its data", 1_500, () => server().kill(), () => server().restart()],
    ["is killed and comes back empty", 1_500, () => emptied(), () => server().restart()],
    ["is stopped for 5 seconds", 5_000, () => server().pause(), () => server().resume()],
    ["is cut off by a partition", 1_500, () => proxy.partition(), () => proxy.heal()],
    ["resets its connections and refuses new ones", 1_500, () => proxy.refuse(), () => proxy.heal()],
  ])(
    "go on, never stale, when it %s, and use it again",
    async (_, time, harm, mend) => {
      const load = new Load();
      await load.begin(proxy.url);
      after(() => load.end());
      await until(() => load.reads > 200);
      await harm();
      await until(() => load.status.every((status) => status?.breaker !== "closed"));
      const [failures, reads] = [load.status.map((status) => status?.failureCount ?? 0), load.reads];
      await wait(time);
      // While the breaker is open the server gets a ping now and then, and reads do not wait for it.
      const failed = load.status.map((status, place) => (status?.failureCount ?? 0) - (failures[place] ?? 0));
      expect(Math.max(...failed)).toBeLessThan(load.reads - reads);
      expect(load.reads - reads).toBeGreaterThan(100);
      await mend();
      await recovered(load);
      await load.end();
      expect(load.faults).toEqual([]);
      expect(load.incomplete).toBeGreaterThan(0);
      // A read has a few deadlines of 250 ms each. The rest is for a busy machine.
      expect(load.slowest).toBeLessThan(5_000);
    },
    60_000,
  ); // The server alone is stopped for 5 seconds.

  it("go on from the source, never stale, while it is full, and invalidations succeed", async () => {
    const load = new Load();
    await load.begin(server().url);
    after(() => load.end());
    await until(() => load.reads > 200);
    await configure("maxmemory-policy", "noeviction");
    await configure("maxmemory", "1");
    const reads = load.reads;
    await until(() => load.reads > reads + 500);
    const [one] = load.status;
    expect(one?.breaker).toBe("closed"); // A full server answers.
    expect(one?.lastError?.message).toMatch(/OOM/);
    await configure("maxmemory", "0");
    await recovered(load);
    await load.end();
    expect(load.faults).toEqual([]);
  });

  it("find nothing that was removed, when it comes back with older data and is distrusted", async () => {
    const name = `older-${randomUUID()}`;
    let version = 1;
    const page = defineNode({
      name,
      caches: [{ storage: "redis", ttl: "10m" }],
      key: () => "page",
      load: () => version,
    })();
    const spaceWith = async (afterRestart: "trust" | "distrust") => {
      const cacheme = new Cacheme();
      after(() => cacheme.close());
      await cacheme.registerStorage("redis", redis(server().url), { afterRestart, deadline: "5s" });
      return cacheme;
    };
    const [one, trusting] = [await spaceWith("distrust"), await spaceWith("trust")];
    await one.get(page);
    await configure("appendonly", "no"); // From now on the server keeps nothing for its next run.
    version = 2;
    await one.invalidate(page);
    await wait(1_100); // The server rounds its uptime down to seconds.
    await server().kill();
    await server().restart();
    await until(async () => (await trusting.peek(page))?.value === 1);
    expect(await one.get(page)).toBe(2);
    const later = await spaceWith("distrust");
    expect(await later.get(page)).toBe(2);
  }, 30_000);
});
