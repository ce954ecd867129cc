import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { resetSocket } from "../../src/driver.js";

/** Makes both ends of a connection on this machine. */
async function connected(): Promise<{ readonly ours: Socket; readonly theirs: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const accepted = once(server, "connection");
  const ours = connect(address.port, "127.0.0.1");
  await once(ours, "connect");
  const [theirs] = (await accepted) as [Socket];
  return { ours, theirs };
}

describe("resetSocket", () => {
  it("resets a connection: the other end gets no orderly goodbye", async () => {
    const { ours, theirs } = await connected();
    const failed = once(theirs, "error");
    resetSocket(ours);
    expect(ours.destroyed).toBe(true);
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
  });

  it("drops bytes that were not sent yet", async () => {
    const { ours, theirs } = await connected();
    theirs.pause();
    // More than both systems' buffers take.
    ours.write(Buffer.alloc(64 * 2 ** 20));
    expect(ours.writableLength).toBeGreaterThan(0);
    const closed = once(theirs, "close");
    theirs.on("error", () => {});
    resetSocket(ours);
    expect(ours.destroyed).toBe(true);
    theirs.resume();
    await closed;
    expect(theirs.bytesRead).toBeLessThan(64 * 2 ** 20);
  });

  it("gives the reason to a socket that cannot be reset", async () => {
    const stream = new PassThrough();
    const failed = once(stream, "error");
    resetSocket(stream, new Error("silent"));
    expect((await failed)[0]).toMatchObject({ message: "silent" });
  });

  it("destroys sockets that cannot be reset: one that still connects, one that has ended, another stream", async () => {
    const connecting = connect(9, "127.0.0.1").on("error", () => {});
    const { ours, theirs } = await connected();
    theirs.on("error", () => {});
    ours.end();
    const stream = new PassThrough();
    for (const one of [connecting, ours, stream]) {
      resetSocket(one);
      expect(one.destroyed).toBe(true);
    }
  });

  it("does nothing twice, and nothing without a socket", () => {
    const stream = new PassThrough();
    resetSocket(stream);
    expect(() => resetSocket(stream)).not.toThrow();
    expect(() => resetSocket(undefined)).not.toThrow();
  });
});
