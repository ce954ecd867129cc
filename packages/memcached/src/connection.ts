import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions as TlsOptions } from "node:tls";

import { asError, cutOff, Deferred, noAnswer, queueMicrotask, resetSocket } from "cacheme/driver";
import { type Answer, AnswerParser } from "./answers.js";
import type { PoolServer, Settings } from "./options.js";

/** One batch of commands that was sent. */
export interface Exchange {
  readonly answers: Deferred<readonly Answer[]>;
  /** The number of answers, or `"END"` for lines of statistics up to that line. */
  readonly awaited: number | "END";
  /** The bytes that the server had sent before the batch, and those sent to it with the batch. */
  readonly heardBefore: number;
  readonly sentUpTo: number;
  readonly came: Answer[];
  isSettled: boolean;
}

/**
 * One TCP connection, with TLS or without, from its beginning to its end. Answers come in the order
 * of what was sent. When it ends, each exchange that waits fails, and nothing is sent twice. It
 * keeps no process alive.
 */
export class Connection {
  /** Whether it was dropped because the server was silent up to a deadline. */
  isSilent = false;
  readonly #onEnd: (reason: Error) => void;
  readonly #socket: Socket;
  /** The TCP connection under the TLS of {@link #socket}, because only it can be reset. */
  readonly #plain: Socket;
  #hasEnded = false;
  #exchanges: Exchange[] = [];
  /** The place of the first exchange that waits. */
  #first = 0;
  #outgoing: (string | Uint8Array)[] = [];
  #sent = 0;

  /**
   * @param onOpen is called when commands can be sent
   * @param onEnd is called once, even if the connection was never open
   */
  constructor(
    { host, port, tls }: Pick<PoolServer, "host" | "port"> & Pick<Settings, "tls">,
    onOpen: () => void,
    onEnd: (reason: Error) => void,
  ) {
    this.#onEnd = onEnd;
    const plain = connectTcp({ host, port, noDelay: true });
    this.#plain = plain;
    this.#socket = tls === undefined ? plain : connectTls({ ...named(host), ...tls, socket: plain });
    plain.unref();
    // The first error is the reason. The others follow from it.
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
        // The parser cannot go on, or there was no command for the answer.
        this.drop(asError(error));
      }
    });
    this.#socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      if (!this.#hasEnded) onOpen();
    });
  }

  /**
   * Sends the bytes, in one write with everything else that is sent in this turn of the event loop.
   */
  send(chunks: readonly (string | Uint8Array)[], awaited: number | "END"): Exchange {
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
    for (const chunk of chunks) {
      this.#outgoing.push(chunk);
      this.#sent += chunk.length;
    }
    const [heardBefore, sentUpTo] = [this.#socket.bytesRead, this.#sent];
    const answers = new Deferred<readonly Answer[]>();
    const exchange: Exchange = { answers, awaited, heardBefore, sentUpTo, came: [], isSettled: false };
    this.#exchanges.push(exchange);
    return exchange;
  }

  /**
   * Handles an exchange whose deadline has passed. If the server has sent nothing since, or has not
   * read all of the batch, it may never do so, and the connection is dropped.
   */
  giveUp(exchange: Exchange, milliseconds: number): void {
    if (exchange.isSettled) return;
    const isSilent = this.#socket.bytesRead === exchange.heardBefore;
    const isUnsent = this.#sent - this.#socket.writableLength < exchange.sentUpTo;
    if (!isSilent && !isUnsent) return;
    this.isSilent = true;
    this.drop(noAnswer(milliseconds));
  }

  /** Ends the connection, and forgets what was not sent: see `resetSocket`. */
  drop(reason: Error): void {
    resetSocket(this.#plain);
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
    if (exchange === undefined) throw new Error("the server sent an answer although nothing was asked");
    const { came, awaited } = exchange;
    came.push(answer);
    if (awaited === "END" ? answer.code.startsWith("STAT ") : came.length < awaited) return;
    exchange.isSettled = true;
    exchange.answers.resolve(came);
    this.#first++;
    if (this.#first < this.#exchanges.length && this.#first < 1000) return;
    this.#exchanges = this.#exchanges.slice(this.#first);
    this.#first = 0;
  }

  #end(reason: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#socket.destroy();
    for (const exchange of this.#exchanges.slice(this.#first)) {
      exchange.isSettled = true;
      exchange.answers.reject(reason);
    }
    this.#exchanges = [];
    this.#first = 0;
    this.#onEnd(reason);
  }
}

/** A certificate is for a name, and not for an address. */
function named(host: string): TlsOptions {
  return isIP(host) === 0 ? { servername: host } : {};
}
