import { randomUUID } from "node:crypto";
import { type RedisCluster, startRedisCluster, startRedisSentinel } from "@cacheme/test-services";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Cacheme, defineNode, type RemoteStorage } from "cacheme";
import { Cluster } from "ioredis";
import { beforeEach, expect, it } from "vitest";
import { redis } from "../src/index.js";
import { isMaster } from "./cluster-slots.js";
import { cleanupWithClients } from "./given-clients.js";
import { asked } from "./several-servers.js";

/** The servers wait and vote for some seconds before a fail-over. */
const failOver = { timeout: 40_000 };
const calm = { commandTimeout: 2_000, connectTimeout: 2_000 } as const;

const { after, given } = cleanupWithClients();

/** Pages whose source has a version, read by processes that share the servers. */
class Site {
  version = 1;
  readonly pages: readonly number[];
  readonly #page;

  constructor(count: number) {
    this.pages = Array.from({ length: count }, (_, index) => index);
    this.#page = defineNode({
      name: `page-${randomUUID()}`,
      caches: [{ storage: "redis", ttl: "10m" }],
      key: (id: number) => `${id}`,
      load: () => this.version,
    });
  }

  async process(storage: RemoteStorage, afterRestart: "trust" | "distrust"): Promise<Cacheme> {
    const cacheme = new Cacheme();
    after(() => cacheme.close());
    await cacheme.registerStorage("redis", storage, { afterRestart, deadline: "2s", breaker: false });
    return cacheme;
  }

  read(cacheme: Cacheme): Promise<number[]> {
    return Promise.all(this.pages.map((id) => cacheme.get(this.#page(id))));
  }

  async stored(cacheme: Cacheme): Promise<(number | undefined)[]> {
    const found = await Promise.all(this.pages.map((id) => cacheme.peek(this.#page(id))));
    return found.map((one) => one?.value);
  }

  async invalidate(cacheme: Cacheme): Promise<void> {
    this.version++;
    await Promise.all(this.pages.map((id) => cacheme.invalidate(this.#page(id))));
  }
}

/** Waits until the replicas of a master have its writes. */
async function replicated(ports: readonly number[]): Promise<void> {
  await until(async () => {
    const texts = await Promise.all(ports.map((port) => asked(port, "info", "replication")));
    if (texts.some((text) => !/role:master|master_link_status:up/.test(text))) return false;
    const offsets = texts.map((text) => Number(/master_repl_offset:(\d+)/.exec(text)?.[1]));
    return new Set(offsets).size === 1;
  });
}

interface Harmed {
  readonly port: number;
  kill(): Promise<void>;
}

interface Paused {
  readonly port: number;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** Makes a master work without its replicas, and then kills it. They continue with older data. */
async function loseMaster(master: Harmed, replicas: readonly Paused[], work: () => Promise<void>) {
  await replicated([master, ...replicas].map(({ port }) => port));
  for (const replica of replicas) await replica.pause();
  // A replica that is stopped cannot connect again, so nothing more is on its way to it.
  await asked(master.port, "client", "kill", "type", "replica");
  await work();
  await master.kill();
  for (const replica of replicas) await replica.resume();
}

describeWithServer("redis", "a replica that takes over without the last removals", () => {
  it("brings old values back behind sentinels, unless it is distrusted", failOver, async () => {
    const group = await startRedisSentinel();
    after(() => group.stop());
    const site = new Site(1);
    const process = (afterRestart: "trust" | "distrust") =>
      site.process(redis(group.url, calm), afterRestart);
    const [distrusting, trusting] = [await process("distrust"), await process("trust")];
    await site.read(distrusting);
    await site.read(distrusting);
    expect(await site.stored(distrusting)).toEqual([1]);
    await loseMaster(group.master, group.replicas, () => site.invalidate(distrusting));
    await until(async () => (await site.stored(trusting))[0] === 1);
    const later = await process("distrust");
    expect(await site.stored(later)).toEqual([undefined]);
    expect(await site.read(distrusting)).toEqual([2]);
    expect(await site.stored(distrusting)).toEqual([2]);
    expect(await site.read(later)).toEqual([2]);
  });
});

describeWithServer("redis", "a node of a Cluster that takes over", () => {
  let cluster: RedisCluster;
  beforeEach(async () => {
    cluster = await startRedisCluster();
    after(() => cluster.stop());
  });

  const forms: [string, () => RemoteStorage][] = [
    ["an address", () => redis(cluster.url.replace(/^redis:/, "redis+cluster:"), calm)],
    [
      "a client of the program",
      () => redis(given(new Cluster([{ host: "127.0.0.1", port: cluster.nodes[1]!.port }])), calm),
    ],
  ];

  it.each(forms)("brings old values back, unless it is distrusted: with %s", failOver, async (_, make) => {
    const site = new Site(30);
    const [distrusting, trusting] = [
      await site.process(make(), "distrust"),
      await site.process(make(), "trust"),
    ];
    await site.read(distrusting);
    await loseMaster(cluster.nodes[0]!, [cluster.nodes[3]!], () => site.invalidate(distrusting));
    await until(() => isMaster(cluster.nodes[3]!.port));
    await until(async () => (await site.stored(trusting)).includes(1));
    expect(await site.stored(distrusting)).toEqual(site.pages.map(() => undefined));
    const later = await site.process(make(), "distrust");
    expect(await site.stored(later)).not.toContain(1);
    expect(await site.read(distrusting)).toEqual(site.pages.map(() => 2));
    expect(await site.read(later)).toEqual(site.pages.map(() => 2));
    expect(await site.stored(distrusting)).toEqual(site.pages.map(() => 2));
  });

  it.each(forms)(
    "is distrusted each time, also as a server that ruled before: with %s",
    failOver,
    async (_, make) => {
      const site = new Site(30);
      const storage = make();
      const process = await site.process(storage, "distrust");
      const ids = new Set<string | undefined>();
      const all = site.pages.map(() => 1);
      for (const next of [undefined, 3, 0]) {
        if (next !== undefined) {
          await replicated([cluster.nodes[0]!.port, cluster.nodes[3]!.port]);
          // Masters vote once in two seconds only, and this needs no votes.
          await asked(cluster.nodes[next]!.port, "cluster", "failover", "takeover");
          await until(() => isMaster(cluster.nodes[next]!.port));
          await until(async () => !(await isMaster(cluster.nodes[3 - next]!.port)));
          expect(await site.stored(process)).toEqual(site.pages.map(() => undefined));
        }
        await until(async () => {
          await site.read(process);
          return (await site.stored(process)).every((value) => value === 1);
        });
        expect(await site.stored(process)).toEqual(all);
        ids.add((await storage.runs?.current())?.id);
      }
      expect(ids.size).toBe(3);
    },
  );
});
