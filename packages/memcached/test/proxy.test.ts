import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { cleanup } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Cacheme } from "cacheme";
import { expect, it } from "vitest";
import { memcached } from "../src/index.js";

/**
 * Answers of the proxy of memcached 1.6.45, built from its source with `--enable-proxy` and started
 * with `-o proxy_config=route.lua`: the lines of `stats` and `stats settings` that a storage reads
 * or that name the proxy. Both are about the proxy itself, whichever servers are behind it. Such a
 * server without `proxy_config` leaves out `proxy_config_reloads` and says `proxy_enabled no`.
 */
const ofProxy = (version: string): string =>
  `${[
    ...["pid 12683", "uptime 10", "time 1796072519", `version ${version}`, "proxy_conn_requests 0"],
    ...["proxy_conn_errors 0", "proxy_config_reloads 1", "proxy_config_reload_fails 0"],
    ...["proxy_backend_total 1", "proxy_backend_marked_bad 0", "proxy_backend_failed 0"],
  ]
    .map(stat)
    .join("")}END\r\n`;
const settingsOfProxy = `${["maxbytes 67108864", "cas_enabled yes", "item_size_max 1048576", "proxy_enabled yes"].map(stat).join("")}END\r\n`;

function stat(line: string): string {
  return `STAT ${line}\r\n`;
}

describeWithServer("memcached", "behind memcached's proxy", (server) => {
  const { closing, after } = cleanup();

  /** Passes everything on to the server but what the proxy answers by itself. */
  async function proxy({ version = "1.6.45" } = {}): Promise<string> {
    const sockets = new Set<Socket>();
    const listener = createServer((client) => {
      const backend = connect(server().port, "127.0.0.1");
      for (const socket of [client, backend]) {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => client.destroy() && backend.destroy());
      }
      backend.pipe(client);
      client.on("data", (piece) => {
        const heard = piece.toString("latin1");
        if (!heard.startsWith("stats")) backend.write(piece);
        else
          client.write(
            heard.replace("stats settings\r\n", settingsOfProxy).replace("stats\r\n", ofProxy(version)),
          );
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    after(() => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    });
    return `memcached://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  }

  it("the storage offers no leases, and says why", async () => {
    const storage = closing(memcached(await proxy()));
    await storage.connect();
    expect(storage.leases).toBeUndefined();
    expect(storage.lacks?.leases).toMatch(/memcached's proxy.*Give the addresses of the servers themselves/);
    await storage.writeMany([{ key: "a", bytes: Buffer.from("value"), ttl: 60_000 }]);
    expect((await storage.readMany(["a"])).map(String)).toEqual(["value"]);
    expect(await storage.generations?.ensure(["tag"], 60_000)).toHaveLength(1);
  });

  it("registerStorage refuses a program that needs leases", async () => {
    const cacheme = new Cacheme();
    after(() => cacheme.close());
    const storage = closing(memcached(await proxy()));
    await expect(cacheme.registerStorage("far", storage, { needs: ["leases"] })).rejects.toMatchObject({
      code: "CACHEME_NOT_OFFERED",
      message: expect.stringContaining("does not support leases: The address is that of memcached's proxy."),
    });
  });

  it("a lazy storage refuses leases once it is connected to the proxy, alone and in a pool", async () => {
    const [behind, straight] = [new URL(await proxy()).host, `127.0.0.1:${server().port}`];
    for (const hosts of [behind, `${behind},${straight}`]) {
      const storage = closing(memcached(`memcached://${hosts}`, { connect: "lazy" }));
      const { leases } = storage;
      const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
      const refused = { code: "CACHEME_NOT_OFFERED", message: expect.stringContaining(behind) };
      await expect(leases?.acquire(keys.map((key) => ({ key, duration: 1000 })))).rejects.toMatchObject(
        refused,
      );
      await expect(leases?.release(keys.map((key) => ({ key, token: "a1.1-1" })))).rejects.toMatchObject(
        refused,
      );
      const records = keys.map((key) => ({ key, token: "a1.1-1", bytes: Buffer.from(key), ttl: 60_000 }));
      await expect(leases?.fill(records)).rejects.toMatchObject(refused);
      expect(storage.leases).toBeUndefined();
    }
  });

  it("a proxy that reverses the order of commands is refused", async () => {
    const storage = closing(memcached(await proxy({ version: "1.6.18" })));
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_UNSUPPORTED_SERVER",
      message: expect.stringMatching(
        /found memcached 1\.6\.18 as a proxy.*needs memcached 1\.6\.20 or newer/,
      ),
    });
  });
});
