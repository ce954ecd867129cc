import { connect, createServer, type Server, type Socket } from "node:net";
import { Pipe } from "./pipe.js";
import { reservePort } from "./port.js";

/** The traffic through a proxy since its start or the last {@link ServerProxy.resetCounts}. */
interface ProxyCounts {
  /** Connections from clients. */
  connections: number;
  /**
   * Bytes and chunks from clients to the server. A chunk is the result of one read: at most 64 KiB.
   */
  bytesUp: number;
  chunksUp: number;
  /** Bytes and chunks from the server to clients. */
  bytesDown: number;
  chunksDown: number;
  /**
   * The number of times that a client sent something first or after an answer of the server. A
   * batch in one round trip counts 1, however large it is.
   */
  roundTrips: number;
}

/** A TCP proxy on 127.0.0.1 that imitates a network's faults. */
export interface ServerProxy {
  readonly port: number;
  /** The server's address with the proxy's host and port in it. */
  readonly url: string;
  readonly counts: Readonly<ProxyCounts>;
  /** The number of open connections. */
  readonly open: number;
  resetCounts(): void;
  /**
   * Delays each byte in both directions by this many milliseconds: a round trip takes twice as
   * long. 0 turns the delay off.
   */
  latency(milliseconds: number): void;
  /** Resets all connections. New connections are served. */
  cut(): void;
  /**
   * Drops all bytes in both directions and closes nothing. New connections are accepted and get no
   * answer. A connection that has lost bytes stays dead after {@link heal}, as behind a firewall
   * that has forgotten it.
   */
  partition(): void;
  /** Closes the open connections and refuses new ones. */
  refuse(): Promise<void>;
  /** Ends a partition, a refusal and latency. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a proxy in front of a server.
 *
 * @param url makes {@link ServerProxy.url} from the proxy's port
 */
export async function openProxy(
  target: { readonly host: string; readonly port: number },
  url: (port: number) => string = (port) => `tcp://127.0.0.1:${port}`,
): Promise<ServerProxy> {
  const reserved = await reservePort();
  const proxy = new TcpProxy(target, reserved.port, url(reserved.port), reserved.release);
  await proxy.listen();
  return proxy;
}

class TcpProxy implements ServerProxy {
  readonly port: number;
  readonly url: string;
  counts: ProxyCounts = noCounts();
  readonly #target: { readonly host: string; readonly port: number };
  readonly #release: () => void;
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #delay = 0;
  #partitioned = false;

  constructor(target: { host: string; port: number }, port: number, url: string, release: () => void) {
    this.#target = target;
    this.port = port;
    this.url = url;
    this.#release = release;
  }

  get open(): number {
    return this.#pairs.size;
  }

  resetCounts(): void {
    this.counts = noCounts();
  }

  latency(milliseconds: number): void {
    this.#delay = milliseconds;
  }

  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  }

  partition(): void {
    this.#partitioned = true;
  }

  async refuse(): Promise<void> {
    this.cut();
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  async heal(): Promise<void> {
    this.#partitioned = false;
    this.#delay = 0;
    if (this.#server === undefined) await this.listen();
  }

  async close(): Promise<void> {
    await this.refuse();
    this.#release();
  }

  listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#join(client));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", () => resolve());
    });
  }

  #join(client: Socket): void {
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { client, upstream };
    this.#pairs.add(pair);
    this.counts.connections++;
    let serverSpokeLast = true;
    let lost = false;
    const passes = (): boolean => {
      lost ||= this.#partitioned;
      return !lost;
    };
    const delay = (): number => this.#delay;
    new Pipe(client, upstream, delay, passes, (bytes) => {
      this.counts.bytesUp += bytes;
      this.counts.chunksUp++;
      if (serverSpokeLast) this.counts.roundTrips++;
      serverSpokeLast = false;
    });
    new Pipe(upstream, client, delay, passes, (bytes) => {
      this.counts.bytesDown += bytes;
      this.counts.chunksDown++;
      serverSpokeLast = true;
    });
    client.on("error", () => {});
    upstream.on("error", () => {});
    client.once("close", (failed) => this.#left(pair, upstream, failed, passes()));
    upstream.once("close", (failed) => this.#left(pair, client, failed, passes()));
  }

  /**
   * Handles the end of one side of a pair. The other side notices it, unless the network is
   * partitioned.
   */
  #left(pair: Pair, other: Socket, failed: boolean, tells: boolean): void {
    if (tells && failed) other.resetAndDestroy();
    else if (tells) other.end();
    // The client has gone, so the connection to the server is of no use.
    if (pair.client.destroyed) pair.upstream.destroy();
    if (pair.client.destroyed && pair.upstream.destroyed) this.#pairs.delete(pair);
  }
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
}

function noCounts(): ProxyCounts {
  return { connections: 0, bytesUp: 0, chunksUp: 0, bytesDown: 0, chunksDown: 0, roundTrips: 0 };
}
