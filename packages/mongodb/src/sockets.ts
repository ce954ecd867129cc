import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Socket } from "node:net";
import { queueMicrotask, resetSocket } from "cacheme/driver";
import type { MongoClient } from "mongodb";

/** The channel on which Node.js announces every socket that a program connects. */
const connecting = "net.client.socket";

/**
 * The events that the package mongodb emits right before it makes a socket, with nothing between.
 */
const announcements = ["connectionCreated", "serverHeartbeatStarted"] as const;

/**
 * The plain sockets of one client of ours, from the moment each is made, so that they can be reset:
 * see `resetSocket`. The package mongodb only closes them. TLS needs no reset, because what arrives
 * without its connection is worth nothing.
 */
export class ClientSockets {
  readonly #sockets = new Set<Socket>();
  #isAnnounced = false;

  constructor(client: MongoClient) {
    for (const event of announcements) client.on(event, this.#onAnnounced);
    subscribe(connecting, this.#onSocket);
  }

  /** Resets all sockets, and forgets later ones. */
  reset(): void {
    this.release();
    for (const socket of this.#sockets) resetSocket(socket);
  }

  /** Stops to collect sockets. */
  release(): void {
    unsubscribe(connecting, this.#onSocket);
  }

  readonly #onAnnounced = (): void => {
    this.#isAnnounced = true;
    // A heartbeat on an open connection makes no socket.
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
