import { connect, createServer, type Socket } from "node:net";
import { server as start } from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { redis } from "../src/index.js";
import { cleanupWithClients } from "./given-clients.js";

const bytes = Buffer.from("value");
const minute = 60_000;

describeWithServer("redis", "an unsuitable server", (server) => {
  const { closing, after, given } = cleanupWithClients();
  const storage = (...given: Parameters<typeof redis>) => closing(redis(...given));
  const observer = (url: string) => given(new Redis(url));

  /** Starts a relay to the real server that can change the bytes of both sides. */
  async function way(change: {
    sent?: (text: string) => void;
    heard?: (text: string) => string;
  }): Promise<string> {
    const sockets = new Set<Socket>();
    const relay = createServer((near) => {
      const far = connect(server().port, "127.0.0.1");
      for (const socket of [near, far]) sockets.add(socket.on("error", () => {}));
      near.on("data", (piece) => {
        change.sent?.(piece.toString("latin1"));
        far.write(piece);
      });
      far.on("data", (piece) => {
        const text = piece.toString("latin1");
        near.write(change.heard?.(text) ?? text, "latin1");
      });
    });
    await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
    after(() => {
      for (const socket of sockets) socket.destroy();
      relay.close();
    });
    const address = relay.address();
    return `redis://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  it("is refused if one kind of call fails; the error names the call, the server and the needed servers", async () => {
    // Replaces the time of a granted lease by the error of a server without scripts.
    const noScripts = await way({
      heard: (text) => text.replace(/^:\d{13}$/gm, "-ERR unknown command 'eval'"),
    });
    const one = storage(noScripts);
    const failed = {
      code: "CACHEME_UNSUPPORTED_SERVER",
      message: expect.stringMatching(
        /cannot be used: found (Redis|Valkey) \d+\.\d+\.\d+, where an acquire failed: ERR unknown command 'eval'\. The storage needs Redis 5 or newer/,
      ),
    };
    await expect(one.connect()).rejects.toMatchObject(failed);
    await expect(one.readMany(["a"])).rejects.toMatchObject(failed);
  });

  it("is refused if it is a replica that takes no writes, or the user may not write", async () => {
    const replica = await start("redis", { arguments: ["--replicaof", "127.0.0.1", String(server().port)] });
    after(() => replica.stop());
    await expect(storage(replica.url).connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("give the address of the master"),
    });
    await observer(server().url).acl(
      "SETUSER",
      "reader",
      "on",
      ">secret",
      "+@read",
      "+info",
      "+client",
      "~*",
    );
    await expect(storage(server().url.replace("//", "//reader:secret@")).connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringMatching(/NOPERM.*Allow the user/),
    });
  });

  it("is used if the user may only use keys with a prefix that only the program knows", async () => {
    await observer(server().url).acl("SETUSER", "narrow", "on", ">secret", "+@all", "~mine:*");
    const one = storage(server().url.replace("//", "//narrow:secret@"));
    await one.connect();
    await one.writeMany([{ key: "mine:a", bytes, ttl: minute }]);
  });

  it("gives an error that says it was reached if it speaks another protocol or hangs up", async () => {
    for (const [answer, code, words] of [
      ["HTTP/1.1 400 Bad Request\r\n\r\n", "CACHEME_CONNECT_REFUSED", "was reached, but cannot be used"],
      [
        undefined,
        "CACHEME_CONNECT_FAILED",
        "was reached, but closed the connection: the connection was closed before it was ready. Behind a proxy such as " +
          "twemproxy, give disableClientInfo: true and enableReadyCheck: false. Check that a server",
      ],
    ] as const) {
      const other = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => (answer === undefined ? socket.destroy() : socket.write(answer)));
      });
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      after(() => other.close());
      const address = other.address();
      const one = storage(`redis://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
      await expect(one.connect()).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    }
  });

  it("gets only commands with keys if two options of ioredis say so", async () => {
    const sent: string[] = [];
    const url = new URL(await way({ sent: (text) => void sent.push(text) }));
    const one = storage({
      host: url.hostname,
      port: Number(url.port),
      disableClientInfo: true,
      enableReadyCheck: false,
    });
    await one.connect();
    await one.writeMany([{ key: "a", bytes, ttl: minute }]);
    expect(await one.readMany(["a"])).toEqual([bytes]);
    expect(await one.removeMany(["a"])).toBe(1);
    const commands = [...sent.join("").matchAll(/^\*\d+\r\n\$\d+\r\n(\w+)\r\n/gm)].map(([, name]) =>
      name?.toLowerCase(),
    );
    expect(new Set(commands)).toEqual(new Set(["set", "mget", "eval", "evalsha", "unlink"]));
  });
});

describeWithServer("redis", "a full server", (server) => {
  it("still invalidates tags, releases leases and accepts storages, because it still removes", async () => {
    const client = new Redis(server().url);
    const storage = redis(server().url);
    await storage.connect();
    const ensure = async () => (await storage.generations?.ensure(["tag"], minute))?.[0];
    const before = await ensure();
    const [lease] = (await storage.leases?.acquire([{ key: "leased", duration: minute }])) ?? [];
    await storage.writeMany([{ key: "stale", bytes, ttl: minute, freshFor: 0 }]);
    const [beside] = (await storage.leases?.acquire([{ key: "stale", duration: minute }])) ?? [];
    if (lease?.outcome !== "granted" || beside?.outcome !== "granted")
      throw new Error("No lease was granted.");
    await client.config("SET", "maxmemory-policy", "noeviction");
    await client.config("SET", "maxmemory", "1");

    await expect(storage.writeMany([{ key: "a", bytes, ttl: minute }])).rejects.toThrow("OOM");
    const [bumped] = (await storage.generations?.bump(["tag"], minute)) ?? [];
    expect(bumped?.id).not.toBe(before?.id);
    expect(bumped?.at).toBeGreaterThanOrEqual(before?.at ?? 0);
    expect(await storage.readMany(["tag"])).toEqual([undefined]);
    await expect(ensure()).rejects.toThrow("OOM");
    await storage.leases?.release([
      { key: "leased", token: lease.token },
      { key: "stale", token: beside.token },
    ]);
    const other = redis(server().url);
    await other.connect();

    await client.config("SET", "maxmemory", "0");
    const [again, stale] =
      (await other.leases?.acquire([
        { key: "leased", duration: minute },
        { key: "stale", duration: minute },
      ])) ?? [];
    expect([again?.outcome, stale?.outcome]).toEqual(["granted", "granted"]);
    const after = await ensure();
    expect([before?.id, bumped?.id]).not.toContain(after?.id);
    for (const one of [storage, other]) await one.close();
    client.disconnect();
  });
});
