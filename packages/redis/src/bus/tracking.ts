import { type BusReceiver, queueMicrotask } from "cacheme/driver";
import type { Redis } from "ioredis";
import type { BusClient } from "./bus-clients.js";
import type { OwnWrites } from "./own-writes.js";

/** The channel on which a server reports changed keys to a client of RESP2. */
const reports = "__redis__:invalidate";

/** The most keys that are read at once to find out who has changed them. */
const keysPerRead = 100;

export interface TrackingOptions {
  /** The prefix that clients put before every key. */
  readonly keyPrefix: string;
  /** The first part of every key of the space. */
  readonly prefix: string;
  readonly own: OwnWrites;
  readonly receiver: BusReceiver;
}

/**
 * Server-assisted invalidation: the server reports each changed key of the prefix (CLIENT TRACKING
 * in broadcasting mode), and the publisher's reports are redirected to the subscriber.
 *
 * In the default mode a client's own write would take the key out of the server's table, so that
 * the next change of another program is not reported.
 */
export class Tracking {
  readonly #options: TrackingOptions;
  /** The id of the subscriber's connection. A subscriber of RESP2 may not ask for it later. */
  #id: Promise<unknown> | undefined;
  /** The keys that may have been changed by this process or by others. */
  #doubtful = new Set<string>();
  #publisher: Redis | undefined;
  #isClosed = false;

  constructor(options: TrackingOptions) {
    this.#options = options;
  }

  /** Listens to the subscriber. Must be called before it connects. */
  listen(subscriber: Redis): void {
    subscriber.on("ready", () => {
      this.#id = subscriber.call("client", "id");
      this.#id.catch(() => {});
    });
    // One report may name several keys. Null means all keys, and comes for FLUSHALL of any database.
    subscriber.on("messageBuffer", (channel: Buffer, keys: unknown) => {
      if (String(channel) === reports) this.#reported(keys);
    });
  }

  /** Subscribes, and turns the reports on for the two connections as they are now. */
  async begin(
    subscriber: BusClient,
    publisher: BusClient,
    channel: string,
    isCurrent: () => boolean,
  ): Promise<void> {
    const { keyPrefix, prefix } = this.#options;
    await subscriber.connection.untilReady();
    const id = String(await this.#id);
    await subscriber.client.subscribe(channel, reports);
    await publisher.connection.untilReady();
    if (!isCurrent()) return;
    const track = (...words: string[]) => publisher.client.call("client", "tracking", ...words);
    // The redirection of a connection that still tracks cannot be changed.
    await track("off");
    await track("on", "redirect", id, "bcast", "prefix", `${keyPrefix}${prefix}:`);
    this.#publisher = publisher.client;
  }

  close(): void {
    this.#isClosed = true;
  }

  #reported(keys: unknown): void {
    const { receiver, keyPrefix, own } = this.#options;
    if (this.#isClosed) return;
    if (!Array.isArray(keys)) {
      receiver.changed("all");
      return;
    }
    const changed: string[] = [];
    for (const bytes of keys) {
      const key = String(bytes).slice(keyPrefix.length);
      if (own.has(key)) this.#doubt(key);
      else changed.push(key);
    }
    if (changed.length > 0) receiver.changed(changed);
  }

  #doubt(key: string): void {
    if (this.#doubtful.size === 0) queueMicrotask(() => void this.#settle());
    this.#doubtful.add(key);
  }

  /** Reads the doubtful keys. One that holds no result of this process was changed by another. */
  async #settle(): Promise<void> {
    const keys = [...this.#doubtful];
    this.#doubtful = new Set();
    for (let start = 0; start < keys.length; start += keysPerRead) {
      const page = keys.slice(start, start + keysPerRead);
      const stored = await this.#read(page);
      const { own, receiver } = this.#options;
      const changed =
        stored === undefined ? page : page.filter((key, index) => !own.explain(key, stored[index] ?? null));
      if (!this.#isClosed && changed.length > 0) receiver.changed(changed);
    }
  }

  async #read(keys: string[]): Promise<(Buffer | null)[] | undefined> {
    try {
      return await this.#publisher?.mgetBuffer(keys);
    } catch {
      return undefined;
    }
  }
}
