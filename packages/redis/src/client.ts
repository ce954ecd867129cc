import type { StorageCall } from "cacheme/driver";
import type { KeyCommand, Outcome } from "./commands.js";
import type { Connection } from "./connection.js";
import type { RedisClient } from "./ioredis.js";

/** The server, or the servers of a Cluster, to which the driver sends its commands. */
export interface Client {
  /** Settles when there is a server to talk to. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Reads the stored string of each key, in one round trip per server. */
  read(keys: readonly string[], attempt: Attempt): Promise<(Buffer | null)[]>;
  /** Removes the keys and answers how many there were. */
  remove(keys: readonly string[], attempt: Attempt): Promise<number>;
  /** Sends each command to its key's server: all commands for one server go in one round trip. */
  each(commands: readonly KeyCommand[], attempt: Attempt): Promise<Outcome[]>;
  /** Asks every server that keys are written to. */
  ask<T>(question: (client: RedisClient) => Promise<T>, attempt: Attempt): Promise<T[]>;
  /** Asks one server that keys are written to: one that can be reached, if there is one. */
  askOne<T>(question: (client: RedisClient) => Promise<T>, attempt: Attempt): Promise<T>;
  /** Returns those servers, with a number that changes when keys change their servers. */
  masters(): Promise<{ readonly masters: readonly Connection[]; readonly version: number }>;
  /** Must be called when a call had no answer in time. */
  late(): void;
}

/** The connections on which one call was sent. */
export class Attempt {
  readonly call: StorageCall;
  readonly #sent: { readonly connection: Connection; readonly heard: ReturnType<Connection["heard"]> }[] = [];

  constructor(call: StorageCall) {
    this.call = call;
  }

  /**
   * Returns the connection once it is ready, and notes that this call uses it.
   *
   * @throws StorageError `CACHEME_CONNECT_FAILED` if the server cannot be reached, at once if that
   *   is known
   */
  on(connection: Connection): Connection | Promise<Connection> {
    if (!connection.isReady) return this.#ready(connection);
    this.#sent.push({ connection, heard: connection.heard() });
    return connection;
  }

  async #ready(connection: Connection): Promise<Connection> {
    await connection.open().catch((error: unknown) => {
      throw this.call.unreachable(error);
    });
    return this.call.isLate ? new Promise<never>(() => {}) : this.on(connection);
  }

  /** Drops the connections that were silent for so many milliseconds, the call's time. */
  dropSilent(milliseconds: number): void {
    for (const { connection, heard } of this.#sent) connection.dropIfSilent(heard, milliseconds);
  }
}

/**
 * Sends commands in one pipeline, with the text of each script that is new to the connection. If the
 * server has forgotten scripts, after a restart or SCRIPT FLUSH, it has not carried out their
 * commands, which are sent again.
 */
export async function pipelined(
  connection: Connection,
  commands: readonly KeyCommand[],
  attempt: Attempt,
  asking = false,
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
  const answers = (await pipeline.exec()) ?? [];
  const outcomes: Outcome[] = asking ? answers.filter((_, index) => index % 2 === 1) : answers;
  const forgotten: number[] = [];
  outcomes.forEach(([error], index) => {
    if (error?.message.startsWith("NOSCRIPT") === true) forgotten.push(index);
  });
  if (forgotten.length === 0 || attempt.call.isLate) return outcomes;
  const ready = await attempt.on(connection);
  ready.scripts.clear();
  const rest = forgotten.flatMap((index) => commands[index] ?? []);
  // The first of them has its text this time, so each repetition has fewer.
  const again = await pipelined(ready, rest, attempt, asking);
  for (const [position, index] of forgotten.entries()) outcomes[index] = again[position] ?? [null, null];
  return outcomes;
}
