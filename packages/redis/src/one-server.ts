import { isError } from "cacheme/driver";
import { type Attempt, type Client, pipelined } from "./client.js";
import type { KeyCommand, Outcome } from "./commands.js";
import { Connection, type ConnectionOptions } from "./connection.js";
import type { Mget } from "./mget.js";

/**
 * Keys in one MGET or UNLINK. The server does nothing else during a command, about a millisecond
 * for so many. A larger batch is several commands that are sent at once, still one round trip.
 */
const keysPerCommand = 5000;

/** A single server, or the master behind sentinels. */
export class OneServer implements Client {
  readonly takesManyKeys = true;
  readonly version = 0;
  readonly #connection: Connection;
  readonly #hasSentinels: boolean;
  readonly #mget: Mget;

  /** @param mget default: the client's own */
  constructor(options: ConnectionOptions, mget: Mget = (keys) => options.client.mgetBuffer([...keys])) {
    this.#connection = new Connection(options);
    this.#mget = mget;
    this.#hasSentinels = options.locate !== undefined;
  }

  open(): Promise<void> {
    return this.#connection.open();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async read(keys: readonly string[], attempt: Attempt): Promise<(Buffer | null)[]> {
    await attempt.on(this.#connection);
    // Nearly every batch is one command.
    if (keys.length <= keysPerCommand) return this.#mget(keys);
    const pages = await inPages(keys, this.#mget);
    return pages.flat();
  }

  async remove(keys: readonly string[], attempt: Attempt): Promise<number> {
    const { client } = await attempt.on(this.#connection);
    try {
      const counts = await inPages(keys, (page) => client.unlink(page));
      return counts.reduce((sum, count) => sum + count, 0);
    } catch (error) {
      if (isError(error)) this.#notice(error);
      throw error;
    }
  }

  async each(commands: readonly KeyCommand[], attempt: Attempt): Promise<Outcome[]> {
    const outcomes = await pipelined(await attempt.on(this.#connection), commands, attempt);
    this.#notice(outcomes[0]?.[0]);
    return outcomes;
  }

  masters(): readonly Connection[] {
    return [this.#connection];
  }

  /** Does nothing: a dead connection is noticed by its silence. */
  async refresh(): Promise<void> {}

  /** Drops a master that takes no writes. The sentinels know the new one. */
  #notice(error: Error | null | undefined): void {
    if (this.#hasSentinels && error?.message.startsWith("READONLY") === true) this.#connection.drop();
  }
}

/** Sends all pages at once. The server answers them in order. */
function inPages<T>(keys: readonly string[], send: (page: string[]) => Promise<T>): Promise<T[]> {
  const sent: Promise<T>[] = [];
  for (let start = 0; start < keys.length; start += keysPerCommand) {
    sent.push(send(keys.slice(start, start + keysPerCommand)));
  }
  return Promise.all(sent);
}
