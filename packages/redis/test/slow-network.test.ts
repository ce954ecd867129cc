import { connect, createServer, type Socket } from "node:net";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { redis } from "../src/index.js";

/** A relay that can stop reading requests while it passes on answers a few bytes at a time. */
class SlowWay {
  isSlow = false;
  /** Settle when the relayed connections have ended on both sides. */
  readonly ends: Promise<unknown>[] = [];
  readonly #server = createServer((near) => this.#join(near));
  readonly #to: { readonly host: string; readonly port: number };

  constructor({ hostname, port }: URL) {
    this.#to = { host: hostname, port: Number(port) };
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `redis://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  close(): void {
    this.#server.close();
  }

  #join(near: Socket): void {
    const far = connect(this.#to);
    let waiting = Buffer.alloc(0);
    near.on("data", (bytes) => {
      far.write(bytes);
      if (this.isSlow) near.pause();
    });
    far.on("data", (bytes) => {
      if (this.isSlow) waiting = Buffer.concat([waiting, bytes]);
      else near.write(bytes);
    });
    const drip = setInterval(() => {
      near.write(waiting.subarray(0, 10));
      waiting = waiting.subarray(10);
    }, 10);
    for (const socket of [near, far]) socket.on("error", () => {});
    // A paused socket does not notice the other side's end; a write does.
    near.on("close", () => {
      clearInterval(drip);
      far.end();
    });
    this.ends.push(new Promise((resolve) => far.on("close", resolve)));
  }
}

describeWithServer("redis", "a network that carries answers but no requests", (server) => {
  let observer: Redis;
  beforeAll(() => {
    observer = new Redis(server().url);
  });
  afterAll(() => observer.disconnect());

  it("never sends the rest of a write after its deadline, even if the server answers", async () => {
    const way = new SlowWay(new URL(server().url));
    const storage = redis(await way.listen(), { commandTimeout: 300 });
    await storage.connect();
    await observer.set("long", Buffer.alloc(64 * 1024));
    way.isSlow = true;
    const read = storage.readMany(["long"]);
    const write = storage.writeMany([{ key: "late", bytes: Buffer.alloc(16 * 1024 * 1024), ttl: 60_000 }]);
    const outcomes = await Promise.allSettled([read, write]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await way.ends[0];
    expect(await observer.exists("late")).toBe(0);
    await storage.close();
    way.close();
  });
});
