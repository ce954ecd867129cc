import { asError, Reconnector } from "cacheme/driver";
import type pg from "pg";
import { UnreferencedClient } from "../unreferenced-client.js";

export interface LastingClientOptions {
  readonly config: pg.ClientConfig;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Prepares a new connection before it counts as ready. */
  readonly prepare: (client: pg.Client) => Promise<void>;
  /** Called when there is a ready connection. */
  readonly ready: () => void;
  /** Called when a connection was lost, or an attempt to make one has failed. */
  readonly lost: (reason: Error) => void;
}

/** A connection that is made again after each loss. A client of pg is used once. */
export class LastingClient {
  readonly #options: LastingClientOptions;
  readonly #reconnector: Reconnector;
  #client: UnreferencedClient | undefined;
  #isClosed = false;

  constructor(options: LastingClientOptions) {
    this.#options = options;
    this.#reconnector = new Reconnector({
      connectTimeout: options.connectTimeout,
      isPersistent: true,
      dial: () => this.#dial(),
      hangUp: () => this.#client?.hangUp(),
    });
  }

  /** Returns the ready client. Rejects at once if the server is known to be unreachable. */
  async get(): Promise<pg.Client> {
    const { failure } = this.#reconnector;
    if (failure !== undefined) throw failure;
    await this.#reconnector.untilReady();
    if (this.#client === undefined) throw new Error("the connection was lost");
    return this.#client;
  }

  /** Drops the connection. A new one is made. */
  drop(): void {
    this.#client?.hangUp();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#reconnector.close();
    const client = this.#client;
    if (client === undefined) return;
    client.hangUp();
    await client.ended;
  }

  #dial(): void {
    const { config, connectTimeout, prepare, ready } = this.#options;
    const client = new UnreferencedClient(config, connectTimeout);
    this.#client = client;
    let isOver = false;
    const over = (error: Error): void => {
      if (isOver) return;
      isOver = true;
      client.hangUp();
      if (this.#client === client) this.#client = undefined;
      if (this.#isClosed) return;
      this.#options.lost(error);
      this.#reconnector.lost(error);
    };
    client.on("error", over);
    client.on("end", () => over(new Error("the connection was closed")));
    const open = async (): Promise<void> => {
      await client.connect();
      await prepare(client);
      if (isOver) return;
      this.#reconnector.ready();
      ready();
    };
    open().catch((error: unknown) => over(asError(error)));
  }
}
