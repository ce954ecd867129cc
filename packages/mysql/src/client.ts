import { connect, Socket } from "node:net";
import { clearTimeout, elapsed, noAnswer, resetSocket, setImmediate, setTimeout } from "cacheme/driver";
import { createPool, type Pool, type PoolConnection, type PoolOptions } from "mysql2";
import type { MysqlConnectionOptions, Settings } from "./options.js";
import type { ServerFacts } from "./server.js";

/**
 * Statements that each of the storage's connections keeps prepared. The server bounds their number,
 * too.
 */
const preparedStatements = 200;

/** Milliseconds of silence before the system asks whether the other end is still there. */
const keepAliveDelay = 30_000;

/**
 * The pool of connections. It adds to mysql2's pool:
 *
 * - It resets a connection that misses a deadline, so that unsent parts of a call never arrive.
 *   Connections that have not answered since are reset, too, because a pool that keeps dead sockets
 *   fails once for each of them.
 * - It drops a connection that the server does not let in within `connectTimeout`, which would take
 *   a place for ever.
 * - No socket and no timer keeps the process alive: a waiting call has a deadline, whose timer
 *   does.
 * - It ignores errors of unused connections.
 */
export class Client {
  /** Known once the storage is open. */
  server: ServerFacts | undefined;
  readonly #pool: Pool;
  readonly #isOwn: boolean;
  readonly #connectTimeout: number;
  /** The time of each connection's last answer. */
  readonly #heard = new WeakMap<PoolConnection, number>();
  /** Connections that have not answered since this time are not trusted. */
  #doubtedAt = Number.NEGATIVE_INFINITY;
  /** The storage's own open sockets. */
  readonly #sockets = new Set<Socket>();
  /**
   * The sockets on which the server has not accepted the account yet, each with the timer of its
   * deadline.
   */
  readonly #entering = new Map<Socket, NodeJS.Timeout>();

  constructor({ pool, connectTimeout }: Settings) {
    this.#connectTimeout = connectTimeout;
    this.#isOwn = !("getConnection" in pool);
    this.#pool = "getConnection" in pool ? pool : createPool(this.#options(pool));
    if (this.#isOwn) this.#pool.on("connection", (connection: PoolConnection) => this.#entered(connection));
  }

  /** Borrows a connection of the pool. The caller gives it back or drops it. */
  async take(): Promise<PoolConnection> {
    for (;;) {
      const connection = await this.#next();
      const heard = this.#heard.get(connection) ?? Number.POSITIVE_INFINITY;
      if (heard > this.#doubtedAt) return connection;
      end(connection);
    }
  }

  /** Gives back a connection that has answered. */
  giveBack(connection: PoolConnection): void {
    this.#heard.set(connection, elapsed());
    connection.release();
  }

  /** Ends a connection that does not answer, and the statement that runs on it. */
  drop(connection: PoolConnection): void {
    this.#doubtedAt = elapsed();
    end(connection);
  }

  /** Ends the pool, if the storage made it. Each call has settled by then. */
  async close(): Promise<void> {
    if (!this.#isOwn) return;
    // Each connection sends a goodbye. It does not wait for the server, which may hang.
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
      // With TLS the connection has another stream with the same port.
      if (socket !== stream && (stream?.localPort === undefined || socket.localPort !== stream.localPort))
        continue;
      clearTimeout(timer);
      this.#entering.delete(socket);
    }
  }
}

/**
 * Resets a connection. mysql2 only ends its own side, which a server that hangs or is cut off does
 * not notice.
 */
function end(connection: PoolConnection): void {
  silence(connection);
  const stream = streamOf(connection);
  resetSocket(stream);
  connection.destroy();
}

/** Ignores errors of an unused connection: the pool has dropped it. */
function silence(connection: PoolConnection): void {
  if (!connection.listeners("error").includes(nothing)) connection.on("error", nothing);
}

function nothing(): void {}

/** Returns the connection's stream, which mysql2's types lack. Every version of mysql2 has it. */
function streamOf(connection: PoolConnection): Socket | undefined {
  const stream: unknown = Reflect.get(connection, "stream");
  return stream instanceof Socket ? stream : undefined;
}
