import { connect, Socket } from "node:net";
import {
  clearTimeout,
  type LendingCall,
  noAnswer,
  openingCall,
  PoolLender,
  resetSocket,
  setImmediate,
  setTimeout,
} from "cacheme/driver";
import { createPool, type Pool, type PoolConnection, type PoolOptions } from "mysql2";
import { Commands } from "./commands.js";
import type { MysqlConnectionOptions, Settings } from "./options.js";
import { type ServerFacts, serverOf } from "./server.js";
import { numberOf } from "./server-errors.js";
import { Session } from "./session.js";

/**
 * Statements that each of the storage's connections keeps prepared. The server bounds their number,
 * too.
 */
const preparedStatements = 200;

/** Milliseconds of silence before the system asks whether the other end is still there. */
const keepAliveDelay = 30_000;

/**
 * Errors after which a connection is useless: it has forgotten a prepared statement, or has become
 * read-only, as an old primary does after a fail-over.
 */
const staleErrors: ReadonlySet<number | undefined> = new Set([1243, 1290, 1615, 1792, 1836]);

/**
 * The pool of connections. It adds to mysql2's pool:
 *
 * - It drops a connection that the server does not let in within `connectTimeout`, which would take
 *   a place for ever.
 * - No socket and no timer keeps the process alive: a waiting call has a deadline, whose timer
 *   does.
 * - It ignores errors of unused connections.
 */
export class Client {
  readonly commands: Commands;
  /** Known once the storage is open. */
  server: ServerFacts | undefined;
  readonly #settings: Settings;
  readonly #pool: Pool;
  readonly #isOwn: boolean;
  readonly #lender: PoolLender<PoolConnection>;
  /** The storage's own open sockets. */
  readonly #sockets = new Set<Socket>();
  /**
   * The sockets on which the server has not accepted the account yet, each with the timer of its
   * deadline.
   */
  readonly #entering = new Map<Socket, NodeJS.Timeout>();

  constructor(settings: Settings) {
    const { pool, table } = settings;
    this.#settings = settings;
    this.commands = new Commands(table);
    this.#isOwn = !("getConnection" in pool);
    this.#pool = "getConnection" in pool ? pool : createPool(this.#options(pool));
    if (this.#isOwn) this.#pool.on("connection", (connection: PoolConnection) => this.#entered(connection));
    this.#lender = new PoolLender({
      max: this.#pool.config.connectionLimit ?? 10,
      take: () => this.#take(),
      giveBack: (connection) => connection.release(),
      destroy: end,
      isLost: (error) => staleErrors.has(numberOf(error)),
    });
  }

  /** Asks the server for its facts, and makes the table if it is missing. */
  async open(signal: AbortSignal): Promise<void> {
    this.server = await this.use(openingCall(signal), (session) => serverOf(session, this.#settings));
  }

  /** Takes a connection for as long as `act` runs. */
  use<T>(call: LendingCall, act: (session: Session) => Promise<T>): Promise<T> {
    return this.#lender.use(call, (connection) => act(new Session(connection, call, this)));
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

  #take(): Promise<PoolConnection> {
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
    const tooLong = noAnswer(this.#settings.connectTimeout);
    const timer = setTimeout(() => resetSocket(socket, tooLong), this.#settings.connectTimeout).unref();
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
  resetSocket(streamOf(connection));
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
