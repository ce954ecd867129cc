import type { Socket } from "node:net";
import * as kit from "cacheme/driver";
import type { Redis } from "ioredis";
import type { Address } from "./connection-options.js";
import { type Connectable, commandName, type RedisClient } from "./ioredis.js";
import type { Script } from "./scripts.js";

export interface ConnectionOptions<C = RedisClient> {
  readonly client: C;
  /** The same client if it is the storage's to close, reset and reconnect. */
  readonly own: Redis | undefined;
  /** Whether attempts go on in the background although none has succeeded yet. */
  readonly isPersistent: boolean;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Finds the server before each attempt. Default: the client's own options say where it is. */
  readonly locate?: ((signal: AbortSignal) => Promise<Address>) | undefined;
  /** Called when a connection was lost. */
  readonly onLost?: (() => void) | undefined;
}

/**
 * A connection to one server: whether it is ready, and why not.
 *
 * The storage reconnects a client of its own by itself. Retries of ioredis would keep a finished
 * program alive, and a write that ioredis sends again could arrive after a later removal. So ioredis
 * gives up at once (`retryStrategy` answers null), and the `Reconnector` makes the next attempt.
 *
 * A deadline that passes without one byte from the server means that the connection is dead, and it
 * is dropped. No socket and no timer here keeps the process alive.
 */
export class Connection<C extends Connectable = RedisClient> {
  /** The number of connections to any server that this process has made, or was given. */
  static made = 0;

  readonly client: C;
  /** The scripts that were sent on this connection: from then on their names are sent. */
  readonly scripts: Set<Script> = new Set();
  readonly #own: Redis | undefined;
  readonly #locate: ConnectionOptions["locate"];
  readonly #onLost: () => void;
  readonly #reconnector: kit.Reconnector;
  /** The first error since the last attempt began; later ones only follow from it. */
  #firstError: Error | undefined;
  /** Why the connection was dropped, until the client reports the end. */
  #silence: Error | undefined;
  /** Whether the loss was seen by the client's status before the client reported it. */
  #isLossSeen = false;

  constructor(options: ConnectionOptions<C>) {
    const { client, own, isPersistent, connectTimeout, locate, onLost = () => {} } = options;
    this.client = client;
    this.#own = own;
    this.#locate = locate;
    this.#onLost = onLost;
    this.#reconnector = new kit.Reconnector({
      connectTimeout,
      isPersistent,
      isForeign: own === undefined,
      dial: (life) => this.#dial(life),
      hangUp: (reason) => this.#hangUp(reason),
    });
    if (client.status === "ready") {
      Connection.made += 1;
      this.#reconnector.ready();
    }
    client.on("ready", this.#onReady);
    // A client of the program goes on from "close" by itself. One of ours ends there, and emits
    // "end" in every case.
    if (own === undefined) client.on("close", this.#onDown);
    own?.on("end", this.#onDown);
    own?.on("error", this.#onError);
  }

  get isReady(): boolean {
    return this.client.status === "ready" && this.#reconnector.isReady && this.#silence === undefined;
  }

  /** Settles when it is ready. Rejects at once if the server is known to be unreachable. */
  async open(): Promise<void> {
    const failure = this.#silence ?? this.#reconnector.failure;
    if (failure !== undefined && !this.isReady) throw failure;
    await this.untilReady();
  }

  /** Settles with the attempt that is under way, or with a new one. */
  untilReady(): Promise<void> {
    // ioredis changes its status a tick before it emits the event.
    if (this.#reconnector.isReady && this.client.status !== "ready") {
      this.#isLossSeen = true;
      this.#lost();
    }
    return this.#reconnector.untilReady();
  }

  /** Notes how much the server has sent before it is asked: for {@link dropIfSilent}. */
  heard(): Heard | undefined {
    const stream: Socket | undefined = this.#own?.stream;
    if (stream === undefined) return undefined;
    const heard = { stream, bytes: stream.bytesRead, sentUpTo: 0 };
    // By then the question has been written.
    kit.nextTick(noteSent, heard);
    return heard;
  }

  /**
   * Drops the connection if the server has not sent a byte on it for so many milliseconds while it
   * was asked, or has not taken all of the question: otherwise the rest would be sent after the
   * caller got its error.
   */
  dropIfSilent(before: Heard | undefined, milliseconds: number): void {
    const own = this.#own;
    if (own === undefined || before === undefined || !this.isReady) return;
    const { stream, bytes, sentUpTo } = before;
    if (own.stream !== stream || stream.destroyed) return;
    const isUnsent = stream.bytesWritten - stream.writableLength < sentUpTo;
    if (stream.bytesRead > bytes && !isUnsent) return;
    this.#silence = kit.noAnswer(milliseconds);
    reset(own);
  }

  /** Drops a connection to a server that is no master any more. */
  drop(): void {
    if (this.#own !== undefined && this.isReady) reset(this.#own);
  }

  /** Closes a client of the storage, and removes the listeners from one of the program. */
  async close(): Promise<void> {
    this.#reconnector.close();
    this.client.off("ready", this.#onReady);
    this.client.off("close", this.#onDown);
    const own = this.#own;
    own?.off("end", this.#onDown);
    if (own === undefined || own.status === "wait" || own.status === "end") return;
    await ended(own);
  }

  #dial(life: AbortSignal): void {
    const own = this.#own;
    if (own === undefined) {
      const { status } = this.client;
      if (status === "wait") this.client.connect().catch(() => {});
      if (status === "end") this.#reconnector.lost(new Error("its client was closed by the program"));
      return;
    }
    this.#firstError = undefined;
    const located = this.#locate?.(life) ?? Promise.resolve({});
    located.then(
      (address) => {
        if (life.aborted) return;
        Object.assign(own.options, address);
        // The result of the attempt is the event "ready" or "end".
        own.connect().catch(() => {});
        kit.setImmediate(() => unref(own.stream));
      },
      (error: Error) => {
        if (!life.aborted) this.#reconnector.lost(this.#firstError ?? error);
      },
    );
  }

  #hangUp(reason: Error): void {
    this.#firstError ??= reason;
    // Before it has found its server, a client has nothing to hang up, and reports no end.
    if (["wait", "end"].includes(this.client.status)) this.#reconnector.lost(reason);
    else if (this.#own !== undefined) reset(this.#own);
  }

  readonly #onReady = (): void => {
    Connection.made += 1;
    this.scripts.clear();
    unref(this.#own?.stream);
    this.#reconnector.ready();
  };

  readonly #onDown = (): void => {
    if (this.#isLossSeen) this.#isLossSeen = false;
    else this.#lost();
  };

  #lost(): void {
    const silence = this.#silence;
    this.#silence = undefined;
    if (this.#reconnector.isReady && silence === undefined) this.#onLost();
    const reason = silence ?? this.#firstError ?? kit.cutOff(closedEarly);
    this.#reconnector.lost(reason, { isSilent: silence !== undefined });
  }

  readonly #onError = (error: Error): void => {
    this.#firstError ??= error;
    // ioredis goes on with database 0, where keys of other programs may be.
    if (commandName(error) === "select" && this.#own !== undefined) reset(this.#own);
  };
}

/** A moment in a connection's life. */
interface Heard {
  readonly stream: Socket;
  readonly bytes: number;
  /** How many bytes had been written with the question of that moment. */
  sentUpTo: number;
}

function noteSent(heard: Heard): void {
  heard.sentUpTo = heard.stream.bytesWritten;
}

export function unref(stream: Socket | undefined): void {
  if (stream?.destroyed === false) stream.unref();
}

/** Ends a connection that is of no more use, and forgets what was not sent yet. */
function reset(own: Redis): void {
  const stream: Socket | undefined = own.stream;
  if (stream?.destroyed === false) kit.resetSocket(stream);
  else own.disconnect(true);
}

/** Twemproxy ends a connection on which ioredis sends CLIENT or INFO. */
const closedEarly =
  "the connection was closed before it was ready. Behind a proxy such as twemproxy, give disableClientInfo: true and enableReadyCheck: false";

/** Milliseconds. */
const longestHangUp = 500;

/**
 * Hangs up and resolves once the client has ended. ioredis emits "end" in `process.nextTick`, which
 * fake timers may hold back; its socket emits "close" even then. If the fakes hold back Node's own
 * streams too, only the time limit is left, which keeps the process alive for so long.
 */
function ended(own: Redis): Promise<void> {
  return new Promise((resolve) => {
    const timer = kit.setTimeout(resolve, longestHangUp);
    const end = (): void => {
      kit.clearTimeout(timer);
      resolve();
    };
    const stream: Socket | undefined = own.stream;
    own.once("end", end);
    stream?.once("close", end);
    if (stream?.destroyed === false) stream.destroy();
    else own.disconnect(true);
  });
}
