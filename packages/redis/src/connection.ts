import type { Socket } from "node:net";
import {
  backOff,
  clearTimeout,
  cutOff,
  Deferred,
  nextTick,
  noAnswer,
  setImmediate,
  setTimeout,
} from "cacheme/driver";
import type { Redis } from "ioredis";
import type { Script } from "./commands.js";
import type { Address, RedisClient } from "./options.js";

/** What a connection needs of a client. */
interface Connectable {
  readonly status: string;
  connect(): Promise<void>;
  on(event: "ready" | "close", listener: () => void): unknown;
  off(event: "ready" | "close", listener: () => void): unknown;
}

export interface ConnectionOptions<C = RedisClient> {
  readonly client: C;
  /** The same client if it is ours to close, reset and reconnect. */
  readonly own: Redis | undefined;
  /** Whether attempts go on in the background although none has succeeded yet. */
  readonly isPersistent: boolean;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Finds out where the server is before each attempt. Default: where the client's own options say. */
  readonly locate?: ((signal: AbortSignal) => Promise<Address>) | undefined;
  /** Is told when a connection was lost. */
  readonly onLost?: (() => void) | undefined;
}

/**
 * A connection to one server: when there is one, and why there is none.
 *
 * Of ioredis' own ways to mend a connection none is used for a client of ours. Its retries would keep a finished program
 * alive by their timer; a command in its offline queue would be sent long after its caller was told that it failed; and
 * a write that is sent again could land after a later removal. So ioredis gives up at once (`retryStrategy` answers
 * null), which settles every command that was under way, and the next attempt is made from here:
 *
 * - a call that finds the connection lost waits for the attempt that follows, up to its deadline;
 * - once an attempt has failed, calls fail at once until the server is back; attempts go on in the background;
 * - a deadline that passes without one byte from the server means that the connection is dead, and it is dropped.
 *
 * No socket and no timer here keeps the process alive: whoever waits has a deadline, whose timer does.
 */
export class Connection<C extends Connectable = RedisClient> {
  readonly client: C;
  readonly #own: Redis | undefined;
  readonly #connectTimeout: number;
  /** Whether lost connections are mended in the background: not before an eager `connect` has succeeded. */
  #persistent: boolean;
  #wasReady: boolean;
  #isClosed = false;
  #failure: Error | undefined;
  /** What went wrong first since the last attempt began; what follows is only its consequence. */
  #firstError: Error | undefined;
  #attempts = 0;
  /** The end of this attempt's time, or the beginning of the next one. */
  #timer: NodeJS.Timeout | undefined;
  #pending: Deferred | undefined;
  readonly #locate: ConnectionOptions["locate"];
  /** While it is asked where the server is. */
  #locating: AbortController | undefined;
  readonly #onLost: () => void;
  /** The scripts that the server was given on this connection: it is asked for them by their names from then on. */
  readonly scripts: Set<Script> = new Set();

  constructor({
    client,
    own,
    isPersistent,
    connectTimeout,
    locate,
    onLost = () => {},
  }: ConnectionOptions<C>) {
    this.client = client;
    this.#own = own;
    this.#connectTimeout = connectTimeout;
    this.#persistent = isPersistent;
    this.#locate = locate;
    this.#onLost = onLost;
    this.#wasReady = client.status === "ready";
    client.on("ready", this.#onReady);
    // A client of the user's own goes on from "close" by itself; one of ours ends there, and says "end" in every case.
    if (own === undefined) client.on("close", this.#onDown);
    own?.on("end", this.#onDown);
    own?.on("error", this.#onError);
  }

  get isReady(): boolean {
    return this.client.status === "ready";
  }

  /** Why the server cannot be reached. While it is set, to wait is of no use. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Settles with the attempt that is under way, or with a new one. */
  untilReady(): Promise<void> {
    if (this.isReady) return Promise.resolve();
    this.#pending ??= new Deferred();
    const { promise } = this.#pending;
    this.#open();
    return promise;
  }

  /** How much the server has said on the connection that there is now, before it is asked: for {@link dropIfSilent}. */
  heard(): Heard | undefined {
    const stream: Socket | undefined = this.#own?.stream;
    if (stream === undefined) return undefined;
    const heard = { stream, bytes: stream.bytesRead, sentUpTo: 0 };
    // By then the question has been written.
    nextTick(noteSent, heard);
    return heard;
  }

  /**
   * Drops the connection if the server has not said a byte on it for so many milliseconds, while it was asked, or has not
   * taken all of the question: the rest would be sent when nobody waits any more.
   */
  dropIfSilent(before: Heard | undefined, milliseconds: number): void {
    const own = this.#own;
    if (own === undefined || before === undefined || !this.isReady) return;
    const { stream, bytes, sentUpTo } = before;
    if (own.stream !== stream || stream.destroyed) return;
    const isUnsent = stream.bytesWritten - stream.writableLength < sentUpTo;
    if (stream.bytesRead > bytes && !isUnsent) return;
    this.#failure = noAnswer(milliseconds);
    drop(own);
  }

  /** Drops a connection to a server that is no longer the one that it was. */
  drop(): void {
    if (this.#own !== undefined && this.isReady) drop(this.#own);
  }

  /** Gives back the sockets and timers of ours, and the listeners on a client of the user's. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#locating?.abort();
    this.#pending?.reject(new Error("the storage was closed"));
    this.client.off("ready", this.#onReady);
    this.client.off("close", this.#onDown);
    const own = this.#own;
    if (own === undefined || own.status === "wait" || own.status === "end") return;
    await hungUp(own);
  }

  #open(): void {
    const { status } = this.client;
    if (this.#own === undefined) {
      if (status === "wait") this.client.connect().catch(() => {});
      if (status === "end") this.#fail(new Error("its client was closed by the program"));
    } else if ((status === "wait" || status === "end") && this.#locating === undefined) {
      this.#attempt(this.#own);
    }
  }

  /** The outcome arrives as the event "ready" or "end". */
  #attempt(own: Redis): void {
    clearTimeout(this.#timer);
    this.#firstError = undefined;
    this.#timer = setTimeout(() => {
      this.#firstError ??= noAnswer(this.#connectTimeout);
      if (this.#locating === undefined) drop(own);
      else this.#locating.abort();
    }, this.#connectTimeout).unref();
    if (this.#locate === undefined) dial(own);
    else this.#dialWhere(own, this.#locate);
  }

  #dialWhere(own: Redis, locate: (signal: AbortSignal) => Promise<Address>): void {
    const controller = new AbortController();
    this.#locating = controller;
    locate(controller.signal).then(
      ({ host, port }) => {
        this.#locating = undefined;
        if (this.#isClosed) return;
        Object.assign(own.options, { host, port });
        dial(own);
      },
      (error: Error) => {
        this.#locating = undefined;
        clearTimeout(this.#timer);
        if (!this.#isClosed) this.#fail(this.#firstError ?? error);
      },
    );
  }

  readonly #onReady = (): void => {
    clearTimeout(this.#timer);
    this.scripts.clear();
    this.#wasReady = true;
    this.#persistent = true;
    this.#attempts = 0;
    this.#failure = undefined;
    unref(this.#own?.stream);
    this.#pending?.resolve();
    this.#pending = undefined;
  };

  readonly #onDown = (): void => {
    clearTimeout(this.#timer);
    const isLost = this.#wasReady && this.#failure === undefined;
    this.#wasReady = false;
    if (this.#isClosed) return;
    if (isLost) {
      this.#onLost();
      this.#open();
    } else this.#fail(this.#firstError ?? this.#failure ?? cutOff(closedEarly));
  };

  readonly #onError = (error: Error): void => {
    this.#firstError ??= error;
    // ioredis goes on with database 0, where other people's keys may be.
    if (commandName(error) === "select" && this.#own !== undefined) drop(this.#own);
  };

  #fail(failure: Error): void {
    this.#pending?.reject(failure);
    this.#pending = undefined;
    if (this.#own === undefined || this.#persistent) this.#failure = failure;
    if (this.#own === undefined || !this.#persistent) return;
    this.#timer = setTimeout(() => this.#open(), backOff(this.#attempts++)).unref();
  }
}

/** A moment in a connection's life. */
interface Heard {
  readonly stream: Socket;
  readonly bytes: number;
  /** How many bytes had been written with what was asked then. */
  sentUpTo: number;
}

function noteSent(heard: Heard): void {
  heard.sentUpTo = heard.stream.bytesWritten;
}

/** The command that the server refused with this error. */
export function commandName(error: Error): string | undefined {
  const command: unknown = "command" in error ? error.command : undefined;
  if (typeof command !== "object" || command === null || !("name" in command)) return undefined;
  return String(command.name);
}

function dial(own: Redis): void {
  own.connect().catch(() => {});
  setImmediate(() => unref(own.stream));
}

export function unref(stream: Socket | undefined): void {
  if (stream?.destroyed === false) stream.unref();
}

/**
 * Ends a connection that is of no more use. A reset makes the kernel forget what it has not sent: after a partition
 * heals, a write whose caller was told that it failed must not arrive after a removal on the next connection.
 */
function drop(own: Redis): void {
  const stream: Socket | undefined = own.stream;
  const canReset = stream?.destroyed === false && stream.remotePort !== undefined && !("encrypted" in stream);
  if (canReset) stream.resetAndDestroy();
  else hangUp(own);
}

/**
 * Hangs up and resolves once the client has ended. ioredis emits "end" in `process.nextTick`, which fake timers may hold
 * back; its socket emits "close" even then. If the fakes hold Node's own streams back as well, the time limit is what is left:
 * hanging up asks the server nothing, so it is short.
 */
function hungUp(own: Redis): Promise<void> {
  return new Promise((resolve) => {
    const ended = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(ended, longestHangUp);
    own.once("end", ended);
    own.stream?.once("close", ended);
    hangUp(own);
  });
}

/** Milliseconds. */
const longestHangUp = 500;

/** Twemproxy ends a connection on which ioredis sends CLIENT or INFO. */
const closedEarly =
  "the connection was closed before it was ready. Behind a proxy such as twemproxy, give disableClientInfo: true and enableReadyCheck: false";

function hangUp(own: Redis): void {
  const stream: Socket | undefined = own.stream;
  if (stream?.destroyed === false) stream.destroy();
  else own.disconnect(true);
}
