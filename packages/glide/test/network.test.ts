import { inspect } from "node:util";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme";
import { expect, it, onTestFinished } from "vitest";
import { glide } from "../src/index.js";
import { addressOf } from "./servers.js";

const quick = { commandTimeout: 750, connectTimeout: 1500 } as const;

function closing(storage: RemoteStorage): RemoteStorage {
  onTestFinished(() => storage.close());
  return storage;
}

describeWithServer("redis", "the storage during failures", (server) => {
  it("says why it cannot connect, without the password", async () => {
    onTestFinished(() => server().restart());
    const { port } = server();
    await server().kill();
    const storage = closing(glide(`glide://:secret@127.0.0.1:${port}`, quick));
    const error: unknown = await storage.connect().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringContaining(`glide://127.0.0.1:${port} cannot be reached`),
      cause: { code: "ECONNREFUSED" },
    });
    expect(inspect(error, { depth: 9 })).not.toContain("secret");
  });

  it("refuses a wrong password with advice", async () => {
    const storage = closing(glide(`glide://nobody:wrong@127.0.0.1:${server().port}`, quick));
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("Check the name and the password."),
    });
  });

  it("knows that the server is down after the first call that had no answer", async () => {
    onTestFinished(() => server().restart());
    const storage = closing(glide(addressOf(server().url), quick));
    await storage.connect();
    await server().kill();
    await expect(storage.ping()).rejects.toMatchObject({ name: "StorageError" });
    await expect(storage.readMany(["a"])).rejects.toMatchObject({ code: "CACHEME_CONNECT_FAILED" });
  });

  it("sends a script again that the server has forgotten", async () => {
    const storage = closing(glide(addressOf(server().url)));
    await storage.connect();
    const first = await storage.generations?.bump(["forgotten", "scripts"], 60_000);
    await server().restart();
    await expect.poll(() => storage.ping().catch(({ code }) => code)).toBeUndefined();
    const again = await storage.generations?.bump(["forgotten", "scripts"], 60_000);
    expect(again).toHaveLength(2);
    expect(again?.[0]?.id).not.toBe(first?.[0]?.id);
  });

  it("works after each loss of the network, and GLIDE keeps at most the connection that was lost", async () => {
    const proxy = await server().proxy();
    onTestFinished(() => proxy.close());
    const storage = glide(addressOf(proxy.url), quick);
    await storage.connect();
    for (let round = 0; round < 2; round++) {
      proxy.partition();
      await expect(storage.readMany(["a"])).rejects.toMatchObject({ name: "StorageError" });
      await proxy.heal();
      await expect.poll(() => storage.ping().catch(({ code }) => code), { timeout: 10_000 }).toBeUndefined();
    }
    await storage.close();
    // One for each round: GLIDE waits for the answer of the call that was lost.
    await expect.poll(() => proxy.open, { timeout: 10_000 }).toBeLessThanOrEqual(2);
  });
});
