import { redis } from "@cacheme/redis";
import type { Server } from "@cacheme/test-services";
import { startRedisCluster } from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import type { RemoteStorage } from "cacheme";
import { expect, it, onTestFinished } from "vitest";
import { glide } from "../src/index.js";
import { addressOf } from "./servers.js";

const value = (text: string) => Buffer.from(text);

async function connected(storage: RemoteStorage): Promise<RemoteStorage> {
  onTestFinished(() => storage.close());
  await storage.connect();
  return storage;
}

async function both(server: Server): Promise<[ours: RemoteStorage, theirs: RemoteStorage]> {
  return [await connected(glide(addressOf(server.url))), await connected(redis(server.url))];
}

describeWithServer("redis", "records of @cacheme/glide and @cacheme/redis", (server) => {
  it("are read by each other", async () => {
    const [ours, theirs] = await both(server());
    await ours.writeMany([{ key: "glide", bytes: value("A"), ttl: 60_000 }]);
    await theirs.writeMany([{ key: "redis", bytes: value("B"), ttl: 60_000 }]);
    for (const storage of [ours, theirs]) {
      expect(await storage.readMany(["glide", "redis"])).toEqual([value("A"), value("B")]);
    }
  });

  it("have one lease and one generation", async () => {
    const [ours, theirs] = await both(server());
    const [granted] = (await ours.leases?.acquire([{ key: "lease", duration: 60_000 }])) ?? [];
    expect(granted).toMatchObject({ outcome: "granted" });
    expect(await theirs.leases?.acquire([{ key: "lease", duration: 60_000 }])).toEqual([{ outcome: "held" }]);
    const bumped = await theirs.generations?.bump(["tag"], 60_000);
    expect(await ours.generations?.ensure(["tag"], 60_000)).toEqual(bumped);
  });
});

describeWithServer("redis", "a client of the program", (server) => {
  it("is used, and left open", async () => {
    const { port } = server();
    const client = await GlideClient.createClient({ addresses: [{ host: "127.0.0.1", port }] });
    onTestFinished(() => client.close());
    const storage = await connected(glide(client));
    await storage.writeMany([{ key: "own", bytes: value("A"), ttl: 60_000 }]);
    expect(await storage.readMany(["own"])).toEqual([value("A")]);
    await storage.close();
    expect(await client.ping()).toBe("PONG");
  });

  it("may be of a cluster", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const addresses = cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
    const client = await GlideClusterClient.createClient({ addresses });
    onTestFinished(() => client.close());
    const storage = await connected(glide(client));
    const records = Array.from({ length: 50 }, (_, index) => ({
      key: `own ${index}`,
      bytes: value("A"),
      ttl: 60_000,
    }));
    await storage.writeMany(records);
    expect(await storage.removeMany(records.map(({ key }) => key))).toBe(50);
    expect((await storage.info?.())?.details).toMatchObject({ masters: 3 });
  });

  it("may have a shorter deadline than the storage", async () => {
    const { port } = server();
    const client = await GlideClient.createClient({
      addresses: [{ host: "127.0.0.1", port }],
      requestTimeout: 50,
    });
    onTestFinished(() => client.close());
    const storage = await connected(glide(client, { commandTimeout: "1h" }));
    onTestFinished(() => server().resume());
    await server().pause();
    await expect(storage.readMany(["own"])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringContaining("Raise the requestTimeout of your client"),
    });
  });

  it("that is closed is a storage that cannot be reached", async () => {
    const { port } = server();
    const client = await GlideClient.createClient({ addresses: [{ host: "127.0.0.1", port }] });
    const storage = await connected(glide(client));
    client.close();
    await expect(storage.ping()).rejects.toMatchObject({ code: "CACHEME_STORAGE_FAILED" });
  });
});
