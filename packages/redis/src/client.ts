import type { StorageCall, StorageCalls } from "cacheme/driver";
import type { KeyCommand } from "./commands.js";
import type { Connection } from "./connection.js";
import type { RedisClient } from "./options.js";

/** The server, or the servers of a Cluster: what the storage sends its commands by. */
export interface Client {
  /** Settles when there is a server to talk to. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** What stands under each key, in one round trip per server. */
  read(keys: readonly string[], attempt: Attempt): Promise<(Buffer | null)[]>;
  /** How many of the keys there were. */
  remove(keys: readonly string[], attempt: Attempt): Promise<number>;
  /** Each command goes to its key's server, all that go to one server in one round trip. */
  each(commands: readonly KeyCommand[], attempt: Attempt): Promise<Outcome[]>;
  /** Asks every server that keys are written to. */
  ask<T>(question: (client: RedisClient) => Promise<T>, attempt: Attempt): Promise<T[]>;
  /** Asks one server that keys are written to: one that can be reached, where there is one. */
  askOne<T>(question: (client: RedisClient) => Promise<T>, attempt: Attempt): Promise<T>;
  /** Those servers, for scans, with a number that tells whether keys have changed their servers since. */
  masters(): Promise<{ readonly masters: readonly Connection[]; readonly version: number }>;
  /** Is told when a call had no answer in time. */
  late(): void;
}

/** What a command came to: an error of its own, or the server's answer. */
export type Outcome = readonly [error: Error | null, answer: unknown];

/** One call that is under way, and the connections that it was sent on. */
export class Attempt {
  call: StorageCall | undefined;
  readonly #calls: StorageCalls;
  readonly #sent: { readonly connection: Connection; readonly heard: ReturnType<Connection["heard"]> }[] = [];

  constructor(calls: StorageCalls) {
    this.#calls = calls;
  }

  get isLate(): boolean {
    return this.call?.isLate === true;
  }

  /**
   * The connection, once it is ready and is noted to be used by this call.
   *
   * @throws StorageError `CACHEME_CONNECT_FAILED` where the server cannot be reached, at once if that is known
   */
  on(connection: Connection): Connection | Promise<Connection> {
    if (connection.isReady) {
      this.#sent.push({ connection, heard: connection.heard() });
      return connection;
    }
    const { failure } = connection;
    return failure === undefined ? this.#ready(connection) : Promise.reject(this.#calls.unreachable(failure));
  }

  async #ready(connection: Connection): Promise<Connection> {
    await connection.untilReady().catch((error: unknown) => {
      throw this.#calls.unreachable(error);
    });
    return this.isLate ? new Promise<never>(() => {}) : this.on(connection);
  }

  /** Drops the connections that have been silent since they were asked: their time is over. */
  dropSilent(milliseconds: number): void {
    for (const { connection, heard } of this.#sent) connection.dropIfSilent(heard, milliseconds);
  }
}

/** Sends commands in one go, and the text of each script that this connection has not carried yet. */
export async function pipelined(
  connection: Connection,
  commands: readonly KeyCommand[],
  { asking = false }: { readonly asking?: boolean } = {},
): Promise<Outcome[]> {
  const { scripts } = connection;
  const pipeline = connection.client.pipeline();
  for (const { run, key, args } of commands) {
    if (asking) pipeline.callBuffer("asking");
    if (typeof run === "string") {
      pipeline.callBuffer(run, key, ...args);
    } else if (!run.isAlwaysText && scripts.has(run)) {
      pipeline.callBuffer("evalsha", run.sha, 1, key, ...args);
    } else {
      scripts.add(run);
      pipeline.callBuffer("eval", run.text, 1, key, ...args);
    }
  }
  const outcomes = (await pipeline.exec()) ?? [];
  return asking ? outcomes.filter((_, index) => index % 2 === 1) : outcomes;
}

/** Whether the server has forgotten a script: it was restarted, or told to forget. The command was not carried out. */
export function isForgotten([error]: Outcome): boolean {
  return error?.message.startsWith("NOSCRIPT") === true;
}
