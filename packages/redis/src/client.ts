import { asError, type StorageCall } from "cacheme/driver";
import type { KeyCommand, Outcome } from "./commands.js";
import type { Connection } from "./connection.js";
import type { RedisClient, RedisPipeline } from "./ioredis.js";

/** The server, or the servers of a Cluster, to which the driver sends its commands. */
export interface Client {
  /** Whether a script may have several keys. In a Cluster they would have to be of one slot. */
  readonly takesManyKeys: boolean;
  /** Settles when there is a server to talk to. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Reads the stored string of each key, in one round trip per server. */
  read(keys: readonly string[], attempt: Attempt): Promise<(Buffer | null)[]>;
  /** Removes the keys and answers how many there were. */
  remove(keys: readonly string[], attempt: Attempt): Promise<number>;
  /** Sends each command to its key's server: all commands for one server go in one round trip. */
  each(commands: readonly KeyCommand[], attempt: Attempt): Promise<Outcome[]>;
  /** The servers that keys are written to. */
  masters(): readonly Connection[];
  /** Changes when keys change their servers. */
  readonly version: number;
  /** Asks for the servers of the keys, because a master may have been replaced. */
  refresh(): Promise<void>;
}

/** Asks every server that keys are written to. */
export function ask<T>(client: Client, attempt: Attempt, question: Question<T>): Promise<T[]> {
  return Promise.all(client.masters().map(async (master) => question((await attempt.on(master)).client)));
}

/**
 * Asks one server that keys are written to: the first ready one by address, which is the same for
 * every process.
 */
export async function askOne<T>(client: Client, attempt: Attempt, question: Question<T>): Promise<T> {
  const masters = client.masters().toSorted((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
  const master = masters.find(({ isReady }) => isReady) ?? masters[0];
  if (master === undefined) throw new Error("no node of the cluster is known");
  return question((await attempt.on(master)).client);
}

type Question<T> = (client: RedisClient) => Promise<T>;

function addressOf({ client: { options } }: Connection): string {
  return `${options?.host}:${options?.port}`;
}

const none: readonly string[] = [];

/** The connections on which one call was sent. */
export class Attempt {
  readonly call: StorageCall;
  readonly #onTrouble: () => void;
  readonly #sent: { readonly connection: Connection; readonly heard: ReturnType<Connection["heard"]> }[] = [];

  /** @param onTrouble called if a server cannot be reached */
  constructor(call: StorageCall, onTrouble: () => void = () => {}) {
    this.call = call;
    this.#onTrouble = onTrouble;
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
      this.#onTrouble();
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
 * Sends commands in one pipeline, a lone command without one. A script that is new to the connection
 * is sent with its text. If the server has forgotten scripts, after a restart or SCRIPT FLUSH, it
 * has not carried out their commands, which are sent again.
 */
export async function pipelined(
  connection: Connection,
  commands: readonly KeyCommand[],
  attempt: Attempt,
  asking = false,
): Promise<Outcome[]> {
  const [only] = commands;
  const isAlone = only !== undefined && commands.length === 1 && !asking;
  // With auto-pipelining, ioredis loses the name of a command that `callBuffer` of a client sends.
  // The query of an address gives the option as a string.
  const answers =
    isAlone && !connection.client.options?.enableAutoPipelining
      ? [await outcomeOf(only, connection)]
      : await outcomesOf(commands, connection, asking);
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

/** Sends one command without a pipeline, which costs as much processor time as the command. */
async function outcomeOf(command: KeyCommand, connection: Connection): Promise<Outcome> {
  try {
    return [null, await call(connection.client, command, connection)];
  } catch (error) {
    return [asError(error), null];
  }
}

async function outcomesOf(
  commands: readonly KeyCommand[],
  connection: Connection,
  asking: boolean,
): Promise<Outcome[]> {
  const pipeline = connection.client.pipeline();
  for (const command of commands) {
    if (asking) pipeline.callBuffer("asking");
    call(pipeline, command, connection);
  }
  return (await pipeline.exec()) ?? [];
}

/** Calls a command, or a script: by its name if its text was sent on the connection before. */
function call(
  sender: RedisClient | RedisPipeline,
  { run, key, args, more = none }: KeyCommand,
  { scripts }: Connection,
): unknown {
  if (typeof run === "string") return sender.callBuffer(run, key, ...args);
  const keys = 1 + more.length;
  if (!run.isAlwaysText && scripts.has(run))
    return sender.callBuffer("evalsha", run.sha, keys, key, ...more, ...args);
  scripts.add(run);
  return sender.callBuffer("eval", run.text, keys, key, ...more, ...args);
}
