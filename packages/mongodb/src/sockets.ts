import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Socket } from "node:net";
import { queueMicrotask } from "cacheme/driver";
import type { MongoClient } from "mongodb";

/** Node.js tells there of every socket that a program connects, when it is made. */
const connecting = "net.client.socket";

/** The driver tells of these right before it makes a socket, with nothing between. */
const announcements = ["connectionCreated", "serverHeartbeatStarted"] as const;

/**
 * The plain sockets of one client of ours, from the moment in which each is made. The driver closes a socket, and a socket
 * that is closed goes on sending what it still has: after a partition heals, a write whose caller was told that it failed
 * would arrive, perhaps after a removal. Only a reset makes the system forget it. (Not of TLS: there what arrives without
 * its connection is worth nothing.)
 */
export class ClientSockets {
  readonly #sockets = new Set<Socket>();
  #isAnnounced = false;

  constructor(client: MongoClient) {
    for (const event of announcements) client.on(event, this.#onAnnounced);
    subscribe(connecting, this.#onSocket);
  }

  /** Resets all, and hears of no more. */
  reset(): void {
    this.release();
    for (const socket of this.#sockets) {
      if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Hears of no more. */
  release(): void {
    unsubscribe(connecting, this.#onSocket);
  }

  readonly #onAnnounced = (): void => {
    this.#isAnnounced = true;
    // A heartbeat on a connection that is there already makes none.
    queueMicrotask(() => {
      this.#isAnnounced = false;
    });
  };

  readonly #onSocket = (message: unknown): void => {
    if (!this.#isAnnounced || typeof message !== "object" || message === null || !("socket" in message))
      return;
    const { socket } = message;
    if (!(socket instanceof Socket)) return;
    this.#isAnnounced = false;
    socket.unref();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  };
}
