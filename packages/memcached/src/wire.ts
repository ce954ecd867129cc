import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions as TlsOptions } from "node:tls";

import { cutOff, isError, queueMicrotask } from "cacheme/driver";

import { Exchange } from "./exchange.js";
import { type Answer, AnswerParser } from "./protocol.js";

/** Where a server is. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | undefined;
}

/** The server did not answer in time. */
export class Silence extends Error {
  /** What Node.js calls it if the system gives up. */
  readonly code = "ETIMEDOUT";

  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
  }
}

/**
 * One TCP connection, with TLS or without, from its beginning to its end: what is sent, and the answers in the order of
 * what was sent. When it has ended, whatever waits on it has failed; nothing is sent twice. It keeps no process alive.
 */
export class Wire {
  readonly #onEnd: (reason: Error) => void;
  readonly #socket: Socket;
  /** The TCP connection under {@link #socket}, which TLS may stand between: only this one can be reset. */
  readonly #plain: Socket;
  #hasEnded = false;
  #exchanges: Exchange[] = [];
  /** The place of the first one that waits. */
  #first = 0;
  #outgoing: (string | Uint8Array)[] = [];
  #sent = 0;

  /**
   * @param onOpen is called when there is somebody to talk to
   * @param onEnd is called once, also where there never was
   */
  constructor({ host, port, tls }: ServerAddress, onOpen: () => void, onEnd: (reason: Error) => void) {
    this.#onEnd = onEnd;
    const plain = connectTcp({ host, port, noDelay: true });
    this.#plain = plain;
    this.#socket = tls === undefined ? plain : connectTls({ ...named(host), ...tls, socket: plain });
    plain.unref();
    // What goes wrong first is the reason; the rest is only its consequence.
    let trouble: Error | undefined;
    for (const socket of new Set([plain, this.#socket])) {
      socket.on("error", (error) => {
        trouble ??= error;
      });
      socket.once("close", () => this.#end(trouble ?? cutOff("the server closed the connection")));
    }
    const parser = new AnswerParser((answer) => this.#take(answer));
    this.#socket.on("data", (piece: Buffer) => {
      try {
        if (!this.#hasEnded) parser.push(piece);
      } catch (error) {
        // A parser that is lost, or an answer that nobody asked for.
        this.drop(isError(error) ? error : new Error(String(error)));
      }
    });
    this.#socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      if (!this.#hasEnded) onOpen();
    });
  }

  /** Sends the bytes: together with all else of this turn of the event loop, in one write. */
  send(chunks: readonly (string | Uint8Array)[], awaited: number | "END"): Exchange {
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
    for (const chunk of chunks) {
      this.#outgoing.push(chunk);
      this.#sent += chunk.length;
    }
    const exchange = new Exchange(awaited, this.#socket.bytesRead, this.#sent);
    this.#exchanges.push(exchange);
    return exchange;
  }

  /**
   * Nobody waits for these answers any more. If the server has been silent since they were asked for, or has not taken
   * all of the question, it may never do so: the connection is dropped.
   */
  giveUp(exchange: Exchange, milliseconds: number): void {
    if (exchange.isSettled) return;
    const isSilent = this.#socket.bytesRead === exchange.heardBefore;
    const isUnsent = this.#sent - this.#socket.writableLength < exchange.sentUpTo;
    if (isSilent || isUnsent) this.drop(new Silence(milliseconds));
  }

  /**
   * Ends a connection that is of no more use. A reset makes the kernel forget what it has not sent: after a partition
   * heals, a write whose caller was told that it failed must not arrive after a removal on the next connection.
   */
  drop(reason: Error): void {
    if (this.#plain.connecting || this.#plain.destroyed) this.#plain.destroy();
    else this.#plain.resetAndDestroy();
    this.#socket.destroy();
    this.#end(reason);
  }

  #flush(): void {
    const outgoing = this.#outgoing;
    this.#outgoing = [];
    if (this.#hasEnded) return;
    if (outgoing.every((chunk) => typeof chunk === "string")) {
      this.#socket.write(outgoing.length === 1 ? (outgoing[0] ?? "") : outgoing.join(""), "latin1");
      return;
    }
    this.#socket.cork();
    for (const chunk of outgoing) {
      if (typeof chunk === "string") this.#socket.write(chunk, "latin1");
      else this.#socket.write(chunk);
    }
    this.#socket.uncork();
  }

  #take(answer: Answer): void {
    const exchange = this.#exchanges[this.#first];
    if (exchange === undefined) throw new Error("the server answered what nobody had asked");
    if (!exchange.take(answer)) return;
    this.#first++;
    if (this.#first < this.#exchanges.length && this.#first < 1000) return;
    this.#exchanges = this.#exchanges.slice(this.#first);
    this.#first = 0;
  }

  #end(reason: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#socket.destroy();
    for (const exchange of this.#exchanges.slice(this.#first)) exchange.fail(reason);
    this.#exchanges = [];
    this.#first = 0;
    this.#onEnd(reason);
  }
}

/** A certificate is for a name. An address is none. */
function named(host: string): TlsOptions {
  return isIP(host) === 0 ? { servername: host } : {};
}
