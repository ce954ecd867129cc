import { type RemoteStorage, StorageError, type StoredRecord } from "cacheme";
import { Connection, commandName, noAnswer } from "./client.js";
import type { RedisClient, RedisPipeline, Settings } from "./options.js";

/**
 * Keys in one MGET or UNLINK. The server does nothing else while it works at one command, about a millisecond for so
 * many; a larger batch is several commands that are sent at once, still one round trip.
 */
const keysPerCommand = 5000;

/** The storage's commands, each with a deadline, and the errors that they reject with. */
export class RedisStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly #settings: Settings;
  readonly #connection: Connection;
  #connected: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #calls = 0;
  #drained: () => void = () => {};

  constructor(settings: Settings) {
    this.label = settings.label;
    this.#settings = settings;
    this.#connection = new Connection(settings);
  }

  connect(): Promise<void> {
    this.#connected ??= this.#connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  /** Calls that are under way are answered first; each has its deadline. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async ping(): Promise<void> {
    await this.#run("PING", (client) => client.ping());
  }

  /**
   * MGET also for one key: GET answers an error where another program keeps a list or a hash under the key, MGET a miss.
   *
   * The buffers are views of what the socket read, up to 64 KiB each: a small one that is kept keeps all of that. The
   * core decodes them at once and keeps none, so nothing is copied here.
   */
  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    const found = await this.#run("a read", (client) => inPages(keys, (page) => client.mgetBuffer(page)));
    return onePage(found).map((bytes) => bytes ?? undefined);
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    if (records.length === 0) return;
    const outcomes = await this.#run("a write", (client) => {
      const pipeline = client.pipeline();
      for (const record of records) addTo(pipeline, record);
      return pipeline.exec();
    });
    const refused = (outcomes ?? []).flatMap(([error], index) =>
      error === null ? [] : [{ key: records[index]?.key ?? "", cause: withoutArguments(error) }],
    );
    if (refused.length > 0) throw this.#notStored(refused, records.length);
  }

  /** UNLINK gives the memory back in the background; a key that stands twice counts once, since it is gone by then. */
  async removeMany(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const counts = await this.#run("a removal", (client) => inPages(keys, (page) => client.unlink(page)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #connect(): Promise<void> {
    if (this.#closing !== undefined) throw this.#closed();
    const ready = this.#connection.untilReady();
    if (this.#settings.connect === "lazy") return;
    let timer: NodeJS.Timeout | undefined;
    const { connectTimeout } = this.#settings;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(noAnswer(connectTimeout)), connectTimeout + 1);
    });
    await Promise.race([ready, late])
      .catch((error: unknown) => Promise.reject(this.#unreachable(error)))
      .finally(() => clearTimeout(timer));
  }

  async #close(): Promise<void> {
    if (this.#calls > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    await this.#connection.close();
  }

  /**
   * @param send is called once there is a connection: perhaps late, perhaps never, but not after the deadline
   * @throws StorageError within the deadline
   */
  #run<T>(action: string, send: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(this.#closed());
    const connection = this.#connection;
    if (connection.isReady) return this.#bounded(action, () => send(connection.client));
    if (connection.failure !== undefined) return Promise.reject(this.#unreachable(connection.failure));
    return this.#bounded(action, async (isLate) => {
      await connection.untilReady().catch((error: unknown) => Promise.reject(this.#unreachable(error)));
      return isLate() ? new Promise<never>(() => {}) : send(connection.client);
    });
  }

  /** The timer also keeps the process alive until the call has settled: the socket does not. */
  #bounded<T>(action: string, act: (isLate: () => boolean) => Promise<T>): Promise<T> {
    const { commandTimeout } = this.#settings;
    const before = this.#connection.heard();
    this.#calls++;
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const settle = (answer: () => void): void => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(timer);
        if (--this.#calls === 0) this.#drained();
        answer();
      };
      const giveUp = (): void => {
        if (!isSettled) this.#connection.dropIfSilent(before, commandTimeout);
        settle(() => reject(this.#late(action)));
      };
      begin(() => act(() => isSettled)).then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(this.#failed(action, error))),
      );
      // Timers count from the beginning of the event loop's turn, so they ring early after a turn that was busy, with
      // the making of a large batch for one: the server's time begins when it has been asked.
      const asked = performance.now();
      const wait = (milliseconds: number): NodeJS.Timeout =>
        setTimeout(() => {
          const left = commandTimeout - (performance.now() - asked);
          if (left > 1) timer = wait(left);
          // After a busy time the answer may lie unread in the socket. Sockets are read before immediates run.
          else setImmediate(giveUp);
        }, milliseconds);
      let timer = wait(commandTimeout);
    });
  }

  #closed(): StorageError {
    return new StorageError(
      "CACHEME_CLOSED",
      `The storage ${this.label} is closed. Make a new one to go on.`,
    );
  }

  #unreachable(error: unknown): StorageError {
    const cause = withoutArguments(error);
    return new StorageError(
      "CACHEME_CONNECT_FAILED",
      `${this.label} cannot be reached: ${words(cause)}. Check that the server runs and that its address, name and ` +
        "password are right.",
      { cause },
    );
  }

  #late(action: string): StorageError {
    return new StorageError(
      "CACHEME_STORAGE_FAILED",
      `${this.label}: ${action} had no answer within ${this.#settings.commandTimeout} ms. Check that the server is alive ` +
        "and not busy with a slow command, or raise commandTimeout.",
    );
  }

  #failed(action: string, error: unknown): StorageError {
    if (error instanceof StorageError) return error;
    const cause = withoutArguments(error);
    const advice =
      commandName(cause) === undefined
        ? "The connection was lost meanwhile; the storage makes a new one by itself."
        : "The server refused the command; its words say why.";
    const message = `${this.label}: ${action} failed: ${words(cause)}. ${advice}`;
    return new StorageError("CACHEME_STORAGE_FAILED", message, { cause });
  }

  #notStored(
    refused: readonly { readonly key: string; readonly cause: Error }[],
    total: number,
  ): StorageError {
    const keys = refused.map(({ key }) => JSON.stringify(key));
    const named =
      keys.length > 5 ? `${keys.slice(0, 5).join(", ")} and ${keys.length - 5} more` : keys.join(", ");
    const cause = refused[0]?.cause ?? new Error("no words");
    return new StorageError(
      "CACHEME_STORAGE_FAILED",
      `${this.label}: ${keys.length} of ${total} records may not be stored: ${named}. The first one's error: ${words(cause)}.`,
      { cause },
    );
  }
}

/** The bytes are sent as they are, without a copy: they must not change before the write has settled. */
function addTo(pipeline: RedisPipeline, { key, bytes, ttl }: StoredRecord): void {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (ttl === undefined) pipeline.set(key, value);
  // Whole milliseconds from 1. A part is left off: a record must not outlive the tier that it came from.
  else pipeline.set(key, value, "PX", Math.max(1, Math.floor(ttl)));
}

/** All pages are sent in one go, and the server answers them in their order. */
function inPages<T>(keys: readonly string[], send: (page: string[]) => Promise<T>): Promise<T[]> {
  const sent: Promise<T>[] = [];
  for (let start = 0; start < keys.length; start += keysPerCommand) {
    sent.push(send(keys.slice(start, start + keysPerCommand)));
  }
  return Promise.all(sent);
}

/** Nearly every batch is one page, which needs no copy. */
function onePage<T>(pages: T[][]): T[] {
  const [first = []] = pages;
  return pages.length > 1 ? pages.flat() : first;
}

/** A client may throw where it promises to reject. */
function begin<T>(act: () => Promise<T>): Promise<T> {
  try {
    return act();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The server's or the system's own words. A name with several addresses has an error for each, and none of its own. */
function words(error: Error): string {
  const each =
    error instanceof AggregateError ? error.errors.map((one: unknown) => words(withoutArguments(one))) : [];
  return (each.join("; ") || error.message || error.name).replace(/\.$/, "");
}

/**
 * An error of ioredis without what was sent: that may be a password, which would come to light in a log, or a value of
 * many megabytes, which would be kept alive.
 */
function withoutArguments(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if ("command" in error) error.command = { name: commandName(error) };
  return error;
}
