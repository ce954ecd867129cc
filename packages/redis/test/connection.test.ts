import { EventEmitter } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { Connection } from "../src/connection.js";

it("a connection waits for the next one before the client has reported its loss", async () => {
  const client = Object.assign(new EventEmitter(), { status: "ready", connect: async () => {} });
  const connection = new Connection({ client, own: undefined, isPersistent: true, connectTimeout: 1000 });
  expect(connection.isReady).toBe(true);

  // ioredis changes its status first, and emits the event a tick later.
  client.status = "reconnecting";
  let isOpen = false;
  const opened = connection.open().then(() => {
    isOpen = true;
  });
  client.emit("close");
  await turn();
  expect(isOpen).toBe(false);

  client.status = "ready";
  client.emit("ready");
  await opened;
  expect(connection.isReady).toBe(true);
});
