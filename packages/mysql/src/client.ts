import { connect, Socket } from "node:net";
import { clearTimeout, elapsed, noAnswer, resetSocket, setImmediate, setTimeout } from "cacheme/driver";
import { createPool, type Pool, type PoolConnection, type PoolOptions } from "mysql2";
import type { MysqlConnectionOptions, Settings } from "./options.js";
import type { ServerFacts } from "./server.js";

/** So many statements are kept prepared on each connection of ours: the server bounds their number, too. */
const preparedStatements = 200;

/** Milliseconds of silence before the system asks whether the other end is still there. */
const keepAliveDelay = 30_000;

/**
 * The pool of connections, with what mysql2's own lacks:
 *
 * - a connection that does not answer within a deadline is dropped by a reset, so that nothing that was sent arrives later,
 *   and with it those that nobody has heard from since: a pool that keeps dead sockets fails once for each of them;
 * - one that is not let in within `connectTimeout` is dropped, and does not take a place in the pool for ever;
 * - no socket and no timer keeps the process alive: whoever waits has a deadline, whose timer does;
 * - an error of a connection that nobody uses any more is nobody's.
 */
export class Client {
  /** Known once the storage is open. */
  server: ServerFacts | undefined;
  readonly #pool: Pool;
  readonly #isOwn: boolean;
  readonly #connectTimeout: number;
  /** When each connection answered last. */
  readonly #heard = new WeakMap<PoolConnection, number>();
  /** Connections that have not answered since are not to be trusted. */
  #doubtedAt = Number.NEGATIVE_INFINITY;
  /** Sockets of ours that are open. */
  readonly #sockets = new Set<Socket>();
  /** Those on which the server has not let us in yet, each with the end of its time. */
  readonly #entering = new Map<Socket, NodeJS.Timeout>();

  constructor({ pool, connectTimeout }: Settings) {
    this.#connectTimeout = connectTimeout;
    this.#isOwn = !("getConnection" in pool);
    this.#pool = "getConnection" in pool ? pool : createPool(this.#options(pool));
    if (this.#isOwn) this.#pool.on("connection", (connection: PoolConnection) => this.#entered(connection));
  }

  /** A connection of the pool. The caller gives it back or drops it. */
  async take(): Promise<PoolConnection> {
    for (;;) {
      const connection = await this.#next();
      const heard = this.#heard.get(connection) ?? Number.POSITIVE_INFINITY;
      if (heard > this.#doubtedAt) return connection;
      end(connection);
    }
  }

  /** Of a connection that has answered. */
  giveBack(connection: PoolConnection): void {
    this.#heard.set(connection, elapsed());
    connection.release();
  }

  /** Ends a connection that does not answer, and whatever is under way on it. */
  drop(connection: PoolConnection): void {
    this.#doubtedAt = elapsed();
    end(connection);
  }

  /** Ends the pool, if it is ours. Every call has settled by then. */
  async close(): Promise<void> {
    if (!this.#isOwn) return;
    // Each connection says goodbye to the server, which is not waited for: it may hang.
    this.#pool.end(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of this.#sockets) {
      if (this.#entering.has(socket)) resetSocket(socket);
      else socket.destroy();
    }
  }

  #next(): Promise<PoolConnection> {
    return new Promise((resolve, reject) => {
      this.#pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection)));
    });
  }

  #options(given: MysqlConnectionOptions): PoolOptions {
    return {
      ...given,
      maxPreparedStatements: preparedStatements,
      // Its timer would keep a finished program alive.
      connectTimeout: 0,
      stream: () => this.#open(given),
    };
  }

  #open({
    host = "localhost",
    port = 3306,
    socketPath,
    keepAliveInitialDelay,
  }: MysqlConnectionOptions): Socket {
    const socket = socketPath ? connect(socketPath) : connect(port, host);
    const tooLong = noAnswer(this.#connectTimeout);
    const timer = setTimeout(() => resetSocket(socket, tooLong), this.#connectTimeout).unref();
    this.#sockets.add(socket);
    this.#entering.set(socket, timer);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#entering.delete(socket);
      this.#sockets.delete(socket);
    });
    socket.setNoDelay(true).setKeepAlive(true, keepAliveInitialDelay ?? keepAliveDelay);
    return socket.unref();
  }

  #entered(connection: PoolConnection): void {
    silence(connection);
    const stream = streamOf(connection);
    for (const [socket, timer] of this.#entering) {
      // With TLS the connection's stream is another one, which has the same port.
      if (socket !== stream && (stream?.localPort === undefined || socket.localPort !== stream.localPort))
        continue;
      clearTimeout(timer);
      this.#entering.delete(socket);
    }
  }
}

/** mysql2 only ends its own side, of which a server that hangs or is cut off never learns. */
function end(connection: PoolConnection): void {
  silence(connection);
  const stream = streamOf(connection);
  resetSocket(stream);
  connection.destroy();
}

/** What goes wrong on a connection that nobody uses is no error: the pool has let go of it. */
function silence(connection: PoolConnection): void {
  if (!connection.listeners("error").includes(nothing)) connection.on("error", nothing);
}

function nothing(): void {}

/** Not among mysql2's types, but as old as mysql2. */
function streamOf(connection: PoolConnection): Socket | undefined {
  const stream: unknown = Reflect.get(connection, "stream");
  return stream instanceof Socket ? stream : undefined;
}
