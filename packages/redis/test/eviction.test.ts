import { server as start } from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Cacheme, defineNode } from "cacheme";
import { Redis } from "ioredis";
import { expect, it, onTestFinished, vi } from "vitest";
import { redis } from "../src/index.js";

const bytes = Buffer.from("value");

interface Policy {
  readonly maxmemory: string;
  readonly policy: string;
}

describeWithServer("redis", "a record without a ttl", () => {
  /** Collects the process warnings with the code `CACHEME_NO_EVICTION`. */
  function warnings(): string[] {
    const found: string[] = [];
    const emit = vi.spyOn(process, "emitWarning").mockImplementation((warning, given) => {
      const code = typeof given === "object" ? given.code : undefined;
      if (code === "CACHEME_NO_EVICTION") found.push(String(warning));
    });
    onTestFinished(() => emit.mockRestore());
    return found;
  }

  async function server({ maxmemory, policy }: Policy): Promise<string> {
    const words = ["--maxmemory", maxmemory, "--maxmemory-policy", policy];
    const started = await start("redis", { arguments: words });
    onTestFinished(() => started.stop());
    return started.url;
  }

  it("causes one warning through a node's tier if the server evicts nothing", async () => {
    const found = warnings();
    const url = await server({ maxmemory: "100mb", policy: "noeviction" });
    const cacheme = new Cacheme();
    await cacheme.registerStorage("far", redis(url), { deadline: false });
    const user = defineNode({
      name: "user",
      key: (id: number) => `${id}`,
      load: (id) => `user ${id}`,
      caches: [{ storage: "far" }],
    });
    await cacheme.set(user(1), "one");
    await cacheme.set(user(2), "two");
    // Waits for the calls that are under way.
    await cacheme.close();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^redis:\/\/127\.0\.0\.1:\d+.*user.*without a ttl.*maxmemory-policy noeviction, maxmemory 104857600.*until it refuses writes\. Give the tier a ttl/,
    );
  });

  it.each<[Policy, RegExp | undefined]>([
    [{ maxmemory: "0", policy: "noeviction" }, /maxmemory 0\)\. .*until its machine has no memory left/],
    [{ maxmemory: "0", policy: "allkeys-lru" }, /until its machine has no memory left/],
    [{ maxmemory: "100mb", policy: "volatile-lru" }, /until it refuses writes/],
    [{ maxmemory: "100mb", policy: "allkeys-lru" }, undefined],
    [{ maxmemory: "100mb", policy: "allkeys-lfu" }, undefined],
  ])("on a server with %o causes the warning %s", async (policy, expected) => {
    const found = warnings();
    const storage = redis(await server(policy));
    await storage.writeMany([{ key: "a", bytes, ttl: undefined }]);
    await storage.close();
    expect(found).toEqual(expected === undefined ? [] : [expect.stringMatching(expected)]);
  });

  it("causes a warning also when it fills a lease, and none if it has a ttl", async () => {
    const url = await server({ maxmemory: "100mb", policy: "noeviction" });
    for (const [ttl, count] of [
      [60_000, 0],
      [undefined, 1],
    ] as const) {
      const found = warnings();
      const storage = redis(url);
      await storage.writeMany([{ key: "b", bytes, ttl: 60_000 }]);
      const [lease] = (await storage.leases?.acquire([{ key: "a", duration: 1000, steal: true }])) ?? [];
      const token = lease?.outcome === "granted" ? lease.token : "";
      expect(await storage.leases?.fill([{ key: "a", bytes, ttl, token }])).toEqual([true]);
      await storage.close();
      expect(found).toHaveLength(count);
    }
  });

  it("causes no INFO if ioredis may not send it, because a proxy would end the connection", async () => {
    const found = warnings();
    const url = await server({ maxmemory: "100mb", policy: "noeviction" });
    const { hostname, port } = new URL(url);
    const observer = new Redis(url);
    onTestFinished(() => observer.disconnect());
    await observer.config("RESETSTAT");
    const storage = redis({
      host: hostname,
      port: Number(port),
      disableClientInfo: true,
      enableReadyCheck: false,
    });
    await storage.writeMany([{ key: "a", bytes, ttl: undefined }]);
    await storage.close();
    expect(await observer.info("commandstats")).not.toContain("cmdstat_info");
    expect(found).toEqual([]);
  });
});
