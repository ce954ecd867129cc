import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describeWithServer } from "@cacheme/test-services/vitest";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { postgres } from "../src/index.js";
import { connected, record, texts } from "./place.js";

const parseComplete = 0x31;
const readyForQuery = 0x5a;

/**
 * Chooses the status in the place of `I`, by the number of ReadyForQuery on its connection, and
 * whether it ends a prepared query.
 */
type Status = (ready: { readonly number: number; readonly isPrepared: boolean }) => "I" | "T" | "E";

const refused = {
  code: "CACHEME_CONNECT_REFUSED",
  message: expect.stringMatching(
    /a transaction is open on the connection that the storage did not begin.*pgpool-II set backend_clustering_mode/,
  ),
};

describeWithServer("postgres", "a connection with an open transaction", (server) => {
  /** Passes everything on, but for the status of ReadyForQuery. */
  async function door(status: Status): Promise<string> {
    const sockets = new Set<Socket>();
    const listener = createServer((client) => {
      const upstream = connect(server().port, "127.0.0.1");
      for (const socket of [client, upstream]) {
        sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => client.destroy() && upstream.destroy());
      }
      client.pipe(upstream);
      let number = 0;
      let isPrepared = false;
      let rest = Buffer.alloc(0);
      upstream.on("data", (piece) => {
        rest = Buffer.concat([rest, piece]);
        while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
          const message = rest.subarray(0, 1 + rest.readUInt32BE(1));
          rest = rest.subarray(message.length);
          if (message[0] === parseComplete) isPrepared = true;
          if (message[0] === readyForQuery) {
            message.write(status({ number: number++, isPrepared }), 5);
            isPrepared = false;
          }
          client.write(message);
        }
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    });
    const url = new URL(server().url);
    url.port = String((listener.address() as AddressInfo).port);
    return url.href;
  }

  it.each(["T", "E"] as const)("is refused when its first ReadyForQuery says %s", async (status) => {
    const storage = postgres(await door(({ number }) => (number === 0 ? status : "I")));
    onTestFinished(() => storage.close());
    await expect(storage.connect()).rejects.toMatchObject(refused);
    await expect(storage.readMany(["a"])).rejects.toMatchObject(refused);
  });

  // pgpool-II 4.3.5 and 4.7.2 in raw mode: a write with parameters is acknowledged, and taken back
  // when the connection ends.
  it("is refused when a statement with parameters leaves one open, as pgpool-II's raw mode does", async () => {
    const storage = postgres(await door(({ isPrepared }) => (isPrepared ? "T" : "I")));
    onTestFinished(() => storage.close());
    await expect(storage.connect()).rejects.toMatchObject(refused);
  });

  it("fails the call that it acknowledged, and is replaced for the next one", async () => {
    let isOpen = false;
    const storage = await connected(await door(() => (isOpen ? "T" : "I")));
    isOpen = true;
    await expect(storage.writeMany([record("a", "lost")])).rejects.toMatchObject(refused);
    isOpen = false;
    await storage.writeMany([record("a", "A")]);
    expect(await texts(storage, "a")).toEqual(["A"]);
  });

  it.each([true, false])(
    "comes from a Pool whose program forgot to end it: it is refused (used before: %s)",
    async (usedBefore) => {
      const pool = new pg.Pool({ connectionString: server().url, max: 1 });
      pool.on("error", () => {});
      onTestFinished(() => pool.end());
      const storage = postgres(pool, { connect: "lazy" });
      onTestFinished(() => storage.close());
      if (usedBefore) await storage.removeMany(["a"]);
      const client = await pool.connect();
      await client.query("BEGIN");
      client.release();
      await expect(storage.writeMany([record("a", "lost")])).rejects.toMatchObject(refused);
      await storage.writeMany([record("b", "B")]);
      expect(await texts(storage, "a", "b")).toEqual([undefined, "B"]);
      await storage.removeMany(["b"]);
    },
  );
});
