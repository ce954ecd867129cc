import { connect, createServer } from "node:net";
import { type Server, type ServerProxy, server as start } from "@cacheme/test-services";
import { cleanup, until, works } from "@cacheme/test-services/network/cleanup";
import { itKeepsDeadlines } from "@cacheme/test-services/network/failure-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme/driver";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { Client } from "../src/client.js";
import { memcached } from "../src/index.js";
import { settings } from "../src/options.js";
import { poolUrl } from "./server-pool.js";

/** A short deadline that is long enough for a working server on a busy machine. */
const quick = { commandTimeout: 750, connectTimeout: 1500 };

const minute = 60_000;
const text = (key: string, value = "value") => ({ key, bytes: Buffer.from(value), ttl: minute });

describeWithServer("memcached", "one server", (server) => {
  const { closing } = cleanup();

  itKeepsDeadlines(server, (times) => memcached(server().url, times));

  it("releases leases that were granted after the deadline", async () => {
    const relay = await slowlyAnswering(new URL(server().url.replace("memcached:", "tcp:")));
    const storage = closing(memcached(relay.url, quick));
    await storage.connect();
    const observer = closing(memcached(server().url));
    const held = { key: "alone", duration: minute };
    const marked = { key: "beside", duration: minute };
    await observer.writeMany([{ ...text("beside"), freshFor: 0 }]);
    relay.delay = 2 * quick.commandTimeout;
    await expect(storage.leases?.acquire([held, marked])).rejects.toThrow(
      `within ${quick.commandTimeout} ms`,
    );
    relay.delay = 0;
    await until(async () => (await observer.leases?.acquire([held]))?.[0]?.outcome === "granted");
    expect((await observer.leases?.acquire([marked]))?.[0]?.outcome).toBe("granted");
    relay.close();
  });

  it("sends nothing more of a large write after its deadline", async () => {
    const storage = closing(memcached(server().url, quick));
    await storage.connect();
    await server().pause();
    const large = { key: "large", bytes: Buffer.alloc(15_000_000), ttl: minute };
    await expect(storage.writeMany([large])).rejects.toThrow(`within ${quick.commandTimeout} ms`);
    await server().resume();
    await until(() => works(storage.ping()));
    expect(await storage.readMany(["large"])).toEqual([undefined]);
  });

  it("refuses the token of a lease from before a restart, although its CAS numbers start again", async () => {
    await server().restart();
    const storage = closing(memcached(server().url));
    const token = await granted(storage, "a");
    await server().restart();
    await until(() => works(storage.ping()));
    const other = closing(memcached(server().url));
    const next = await granted(other, "a");
    expect(next.split(".")[0]).toBe(token.split(".")[0]);
    expect(await storage.leases?.fill([{ ...text("a", "stale"), token }])).toEqual([false]);
    await storage.leases?.release([{ key: "a", token }]);
    expect(await other.leases?.fill([{ ...text("a", "new"), token: next }])).toEqual([true]);
  });
});

describeWithServer("memcached", "a pool of which one server is in trouble", () => {
  const { closing } = cleanup();
  let servers: Server[];
  let proxies: ServerProxy[];
  let url: string;
  /** A key of each server. */
  let keys: readonly string[];
  beforeAll(async () => {
    servers = await Promise.all([start("memcached"), start("memcached"), start("memcached")]);
    proxies = await Promise.all(servers.map((one) => one.proxy()));
    url = poolUrl(proxies);
    keys = keysOf(url);
  });
  afterAll(() => Promise.all(servers.map((one) => one.stop())));

  let storage: RemoteStorage;
  beforeEach(async () => {
    storage = closing(memcached(url, quick));
    await storage.connect();
    await storage.writeMany(keys.map((key) => text(key, key)));
  });

  const found = async () =>
    (await storage.readMany(keys)).map((bytes) => bytes && Buffer.from(bytes).toString());

  it("reads the time of the first server by name that is up, and asks no other", async () => {
    const [first, second, third] = proxies.toSorted((a, b) => (`${a.port}` < `${b.port}` ? -1 : 1));
    const roundTrips = async (): Promise<number[]> => {
      for (const proxy of proxies) proxy.resetCounts();
      await storage.time();
      return [first, second, third].map((proxy) => proxy!.counts.roundTrips);
    };
    expect(await roundTrips()).toEqual([1, 0, 0]);
    await first!.refuse();
    // The call that finds it out may fail.
    await until(() => works(storage.time()));
    expect(await roundTrips()).toEqual([0, 1, 0]);
    await first!.heal();
  });

  it.each<[string, () => Promise<void> | void, () => Promise<void>]>([
    ["is killed", () => servers[1]?.kill(), async () => servers[1]?.restart()],
    ["is stopped", () => servers[1]?.pause(), async () => servers[1]?.resume()],
    ["cannot be reached", () => proxies[1]?.refuse(), async () => proxies[1]?.heal()],
    [
      "is behind a network that drops every packet",
      () => proxies[1]?.partition(),
      async () => proxies[1]?.heal(),
    ],
  ])(
    "misses the keys of a server that %s, and names them in errors of writes and removals",
    async (_, harm, mend) => {
      const [first, lost, last] = keys;
      await harm();
      // The call that finds it out may fail; from then on it is known.
      await until(() => works(storage.readMany(keys)));
      expect(await found()).toEqual([first, undefined, last]);
      const name = new RegExp(`127\\.0\\.0\\.1:${proxies[1]?.port}: `);
      const failure = {
        code: "CACHEME_STORAGE_FAILED",
        keys: new Set([lost]),
        message: expect.stringMatching(name),
      };
      await expect(storage.writeMany(keys.map((key) => text(key, "new")))).rejects.toMatchObject(failure);
      await expect(storage.removeMany(keys)).rejects.toMatchObject(failure);
      const unreachable = { code: "CACHEME_CONNECT_FAILED" };
      await expect(storage.removeMany([lost ?? ""])).rejects.toMatchObject(unreachable);
      await expect(storage.generations?.ensure([lost ?? ""], minute)).rejects.toMatchObject(unreachable);
      // The other servers have done their part.
      expect(await found()).toEqual([undefined, undefined, undefined]);
      await storage.writeMany([text(first ?? "", "again")]);
      expect(await storage.removeMany([first ?? ""])).toBe(1);
      // Its keys may be loaded, and not be stored.
      const tokens = await Promise.all([granted(storage, first ?? ""), granted(storage, lost ?? "")]);
      const records = [first, lost].map((key, place) => ({ ...text(key ?? ""), token: tokens[place] ?? "" }));
      expect(await storage.leases?.fill(records)).toEqual([true, false]);
      await storage.leases?.release([{ key: lost ?? "", token: tokens[1] ?? "" }]);
      await expect(storage.ping()).rejects.toThrow(name);
      expect((await storage.info?.())?.details).toMatchObject({ [`127.0.0.1:${proxies[1]?.port}`]: "down" });
      await mend();
      await until(() => works(storage.writeMany(keys.map((key) => text(key, key)))));
      expect(await found()).toEqual(keys);
    },
  );

  it("releases the leases of a call that missed its deadline", async () => {
    const requests = keys.map((key) => ({ key, duration: minute }));
    await storage.removeMany(keys);
    await servers[1]?.pause();
    await expect(storage.leases?.acquire(requests)).rejects.toThrow(`within ${quick.commandTimeout} ms`);
    await until(
      async () => (await storage.leases?.acquire(requests.slice(0, 1)))?.[0]?.outcome === "granted",
    );
    await servers[1]?.resume();
    await until(() => works(storage.removeMany(keys)));
  });

  it("connects without a server that is down, and uses it when it is up", async () => {
    await servers[1]?.kill();
    const other = closing(memcached(url, quick));
    await other.connect();
    expect((await other.readMany(keys)).map((bytes) => bytes && String(bytes))).toEqual([
      keys[0],
      undefined,
      keys[2],
    ]);
    await servers[1]?.restart();
    await until(() => works(other.writeMany(keys.map((key) => text(key)))));
  });

  it("connects without a server that does not answer", async () => {
    await servers[1]?.pause();
    const other = closing(memcached(url, quick));
    await other.connect();
    await until(() => works(other.readMany(keys)));
    await servers[1]?.resume();
    await until(() => works(other.writeMany(keys.map((key) => text(key)))));
  });

  it("does not connect if every server is down", async () => {
    await Promise.all(servers.map((one) => one.kill()));
    const other = closing(memcached(url, quick));
    await expect(other.connect()).rejects.toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
    await until(async () => !(await works(storage.readMany(keys))));
    await expect(storage.info?.()).rejects.toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
    await Promise.all(servers.map((one) => one.restart()));
    await other.connect();
  });
});

/** Finds a key for each server of a pool, in their order. */
function keysOf(url: string): readonly string[] {
  const client = new Client(settings(url, {}));
  return client.servers.map(({ name }) => {
    for (let number = 0; ; number++)
      if (client.serverOf(`key:${number}`)?.name === name) return `key:${number}`;
  });
}

async function granted(storage: RemoteStorage, key: string): Promise<string> {
  const [answer] = (await storage.leases?.acquire([{ key, duration: minute }])) ?? [];
  if (answer?.outcome !== "granted") throw new Error(`The lease was ${answer?.outcome}.`);
  return answer.token;
}

/** A way to a server whose answers begin at once, and go on after a delay. */
async function slowlyAnswering(to: URL) {
  const relay = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes) => {
      const atOnce = way.delay > 0 ? 5 : bytes.length;
      near.write(bytes.subarray(0, atOnce));
      if (atOnce < bytes.length) setTimeout(() => near.write(bytes.subarray(atOnce)), way.delay);
    });
    near.on("close", () => far.destroy());
    for (const socket of [near, far]) socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const address = relay.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const way = { url: `memcached://127.0.0.1:${port}`, delay: 0, close: () => relay.close() };
  return way;
}
