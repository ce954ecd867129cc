import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { server as start } from "@cacheme/test-services";
import { cleanup, until, works } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { describe, expect, it } from "vitest";
import { accountItem } from "../src/handshake.js";
import { memcached } from "../src/index.js";
import { Raw } from "./raw.js";

const record = { key: "a", bytes: Buffer.from("value"), ttl: 60_000 };

describeWithServer("memcached", "a server with a password", (server) => {
  const { closing, after } = cleanup();

  async function guarded() {
    const folder = mkdtempSync(join(tmpdir(), "cacheme-test-auth-"));
    after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "accounts");
    writeFileSync(file, "me:correct@horse\nyou:staple\n");
    // The server may run under another account.
    chmodSync(folder, 0o755);
    chmodSync(file, 0o644);
    const started = await start("memcached", { arguments: ["-Y", file] });
    after(() => started.stop());
    return started;
  }

  it("accepts the account, also after the connection was lost", async () => {
    const { port, restart } = await guarded();
    for (const target of [
      `memcached://me:correct%40horse@127.0.0.1:${port}`,
      { servers: [{ host: "127.0.0.1", port }], username: "you", password: "staple" },
    ]) {
      const storage = closing(memcached(target));
      await storage.connect();
      await storage.writeMany([record]);
      expect((await storage.readMany(["a"])).map(String)).toEqual(["value"]);
    }
    const storage = closing(memcached(`memcached://me:correct%40horse@127.0.0.1:${port}`));
    await storage.connect();
    await restart();
    await until(() => works(storage.writeMany([record])));
  });

  it("refuses a wrong account with the reason, which does not show the password", async () => {
    const { port } = await guarded();
    for (const account of ["me:wrong", "nobody:staple", ""]) {
      const storage = closing(memcached(`memcached://${account && `${account}@`}127.0.0.1:${port}`));
      const error: unknown = await storage.connect().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "CACHEME_CONNECT_REFUSED" });
      expect(error).toHaveProperty(
        "message",
        expect.stringMatching(
          /was reached, but cannot be used: (authentication failure|unauthenticated).*Check the name and the password/,
        ),
      );
      expect(error).not.toHaveProperty("message", expect.stringMatching(/wrong|staple/));
    }
  });

  it("does not keep a password that it does not need", async () => {
    const raw = await Raw.to(server().port);
    after(() => raw.end());
    const storage = closing(memcached(`memcached://me:secret@127.0.0.1:${server().port}`));
    await storage.connect();
    await storage.writeMany([record]);
    expect(await raw.say(`get auth ${accountItem}`)).toBe("END\r\n");
  });

  it("loses no item by a password that it does not need", async () => {
    const plain = closing(memcached(`memcached://127.0.0.1:${server().port}`));
    const names = ["auth", "account", accountItem];
    await plain.writeMany(names.map((key) => ({ key, bytes: Buffer.from(key), ttl: 60_000 })));
    const storage = closing(memcached(`memcached://me:secret@127.0.0.1:${server().port}`));
    await storage.connect();
    expect((await storage.readMany(names)).map(String)).toEqual(names);
  });
});

describeWithServer("memcached", "a server behind TLS", (server) => {
  const { closing, after } = cleanup();

  /**
   * A door before the plain server, with a certificate for localhost that nobody but itself vouches
   * for.
   */
  async function door() {
    const [key, cert] = ["key", "cert"].map((name) =>
      readFileSync(new URL(`fixtures/localhost-${name}.pem`, import.meta.url), "utf8"),
    );
    const sockets = new Set<Socket>();
    const tls = createTlsServer({ key, cert }, (client) => {
      const upstream = connect(server().port, "127.0.0.1");
      client.pipe(upstream).pipe(client);
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => client.destroy() && upstream.destroy());
      }
    });
    tls.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => tls.listen(0, "127.0.0.1", resolve));
    const cut = (): void => {
      for (const socket of sockets) socket.destroy();
    };
    after(() => {
      cut();
      tls.close();
    });
    const { port } = tls.address() as AddressInfo;
    return { port, ca: cert, cut };
  }

  it("works through TLS, also after the connection was lost", async () => {
    const { port, ca, cut } = await door();
    for (const host of ["127.0.0.1", "localhost"]) {
      const storage = closing(memcached({ servers: [{ host, port }], tls: { ca } }));
      await storage.connect();
      const bytes = Buffer.alloc(3_000_000, "all kinds of bytes");
      await storage.writeMany([{ ...record, bytes }]);
      const [found] = await storage.readMany(["a"]);
      expect(found && Buffer.compare(found, bytes)).toBe(0);
      cut();
      await until(() => works(storage.ping()));
      expect(await storage.removeMany(["a"])).toBe(1);
    }
  });

  it("is refused if its certificate is not trusted", async () => {
    const { port } = await door();
    const storage = closing(memcached(`memcacheds://127.0.0.1:${port}`));
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.stringContaining("self-signed certificate"),
    });
  });

  it("is dropped when it is silent, and connected again", async () => {
    const { port, ca } = await door();
    const storage = closing(
      memcached({ servers: [{ host: "127.0.0.1", port }], tls: { ca } }, { commandTimeout: 750 }),
    );
    await storage.connect();
    await server().pause();
    await expect(storage.writeMany([{ ...record, key: "late" }])).rejects.toThrow("within 750 ms");
    await server().resume();
    await until(() => works(storage.ping()));
  });
});

describeWithServer("memcached", "a server without room", () => {
  const { closing, after } = cleanup();

  it("still invalidates tags by removing their generations, and accepts connections", async () => {
    const small = await start("memcached", { arguments: ["-M", "-m", "2", "-I", "1m", "-f", "4"] });
    after(() => small.stop());
    const storage = closing(memcached(small.url, { commandTimeout: "20s" }));
    const minute = 60_000;
    const tags = Array.from({ length: 40 }, (_, index) => `tag:${index}`);
    const before = (await storage.generations?.ensure(tags, minute)) ?? [];
    // Items of each of the server's few sizes, so that none has room left.
    for (const size of [500_000, 100_000, 25_000, 6000, 1500, 300, 8]) {
      const fill = async (round: number): Promise<void> => {
        const length = Math.min(500, Math.ceil(2 ** 21 / size)); // 2 MiB at most: as much as the server has
        const records = Array.from({ length }, (_, index) => ({
          key: `fill:${size}:${round}:${index}`,
          bytes: Buffer.alloc(size),
          ttl: minute,
        }));
        if (await works(storage.writeMany(records))) await fill(round + 1);
      };
      await fill(0);
    }
    await expect(storage.writeMany([{ ...record, key: "more" }])).rejects.toThrow("out of memory");
    await expect(storage.leases?.acquire([{ key: "more", duration: minute }])).rejects.toThrow(
      "out of memory storing a lease",
    );
    const bumped = (await storage.generations?.bump(tags, minute)) ?? [];
    expect(bumped.map(({ id }, index) => id === before[index]?.id)).toEqual(tags.map(() => false));
    const left = await storage.readMany(tags);
    const old = new Set(before.map(({ id }) => id));
    expect(left.filter((bytes) => bytes !== undefined && old.has(String(bytes).split("@")[0] ?? ""))).toEqual(
      [],
    );
    expect(left).toContain(undefined);
    await closing(memcached(small.url)).connect();
  });
});

describe("a server that cannot be worked with", () => {
  const { closing, after } = cleanup();

  /** Answers every connection's bytes with a text. */
  async function speaker(answer: (heard: string) => string): Promise<string> {
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (piece) => socket.write(answer(piece.toString("latin1")), "latin1"));
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    after(() => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    });
    return `memcached://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  }

  const stats = (lines: Record<string, string | number>): string =>
    Object.entries({ pid: 1, uptime: 5, time: 1_800_000_000, version: "1.6.18", ...lines })
      .map(([name, value]) => `STAT ${name} ${value}\r\n`)
      .join("")
      .concat("END\r\nEND\r\n");

  it.each<[string, string, RegExp]>([
    [
      "is too old",
      stats({ version: "1.5.22" }),
      /found memcached 1\.5\.22\. The storage needs memcached 1\.6\.13 or newer/,
    ],
    ["is a little too old", stats({ version: "1.6.9" }), /found memcached 1\.6\.9\./],
    ["answers with the old CAS", stats({ version: "1.6.12" }), /found memcached 1\.6\.12\./],
    ["has no CAS", stats({ cas_enabled: "no" }), /started with -C/],
    ["does not know the time", stats({ time: "noon" }), /what time it is/],
    [
      "speaks HTTP",
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      /was reached, but cannot be used: the server answered "HTTP/,
    ],
    ["knows no statistics", "ERROR\r\nERROR\r\n", /the server answered "ERROR"/],
    ["sends too much", `${stats({})}END\r\n`, /nothing was asked|out of step/],
    ["never ends its line", "x".repeat(100_000), /a line without an end/],
  ])("that %s is refused with the reason", async (_, answer, reason) => {
    let isFirst = true;
    const url = await speaker(() => {
      const words = isFirst ? answer : "";
      isFirst = false;
      return words;
    });
    const storage = closing(memcached(url, { connectTimeout: 1500, commandTimeout: 1500 }));
    const error: unknown = await storage
      .connect()
      .then(
        () => storage.ping(),
        (failure: unknown) => failure,
      )
      .catch((failure: unknown) => failure);
    expect(error).toHaveProperty("message", expect.stringMatching(reason));
    expect(error).toHaveProperty(
      "code",
      expect.stringMatching(/^CACHEME_(CONNECT_FAILED|CONNECT_REFUSED|UNSUPPORTED_SERVER|STORAGE_FAILED)$/),
    );
  });

  it("names the call that fails and the server's version", async () => {
    const url = await speaker((heard) => (heard.startsWith("stats") ? stats({}) : "ERROR\r\n".repeat(9)));
    const storage = closing(memcached(url));
    const failed = {
      code: "CACHEME_UNSUPPORTED_SERVER",
      message: expect.stringMatching(
        /found memcached 1\.6\.18, where a \w+ failed: the server answered "ERROR".*needs memcached 1\.6\.13 or newer/,
      ),
    };
    await expect(storage.connect()).rejects.toMatchObject(failed);
    await expect(storage.readMany(["a"])).rejects.toMatchObject(failed);
  });

  it("never answers one key with the value of another, if the answers are out of step", async () => {
    let turn = 0;
    const url = await speaker((heard) => {
      if (heard.startsWith("stats")) return stats({});
      turn++;
      return "VA 5 f11 t60 O99999\r\nwrong\r\n";
    });
    // By two names it counts as several servers, with which no call is tried while connecting.
    const { port } = new URL(url);
    const storage = closing(memcached(`memcached://127.0.0.1:${port},localhost:${port}`));
    await storage.connect();
    await expect(storage.readMany(["a"])).rejects.toThrow("out of step");
    await expect(storage.readMany(["a"])).rejects.toThrow("out of step");
    expect(turn).toBe(2);
  });
});
