import { type RemoteStorage, StorageCalls } from "cacheme/driver";
import { Attempt, type Client, type Outcome } from "./client.js";
import { commandName } from "./connection.js";
import type { Settings } from "./options.js";
import { advice, isAnswer, isPassing, needs, remedyFor } from "./trouble.js";

/** The calls of one storage: a deadline for each, and the connections that are silent at it dropped. */
export class Calls {
  readonly #calls: StorageCalls;
  readonly #client: Client;
  readonly #commandTimeout: number;

  /** @param storage whose calls are tried when there is a server */
  constructor(settings: Settings, client: Client, storage: RemoteStorage) {
    this.#client = client;
    this.#commandTimeout = settings.commandTimeout;
    this.#calls = new StorageCalls({
      ...settings,
      open: () => client.open(),
      shut: () => client.close(),
      clean: withoutArguments,
      advice,
      isAnswer,
      refusalAdvice: remedyFor,
      trial: {
        storage,
        needs,
        passes: (error) => isPassing(settings.target, error),
        remedyFor,
        // A scan looks at every key that the server has.
        scans: false,
        // The scripts read it. The command TIME is one that proxies refuse, and only `time()` needs it.
        readsTime: false,
      },
    });
  }

  connect(): Promise<void> {
    return this.#calls.connect();
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  make<T>(action: string, act: (attempt: Attempt) => Promise<T>): Promise<T> {
    const attempt = new Attempt(this.#calls);
    return this.#calls.run(
      action,
      (call) => {
        attempt.call = call;
        return act(attempt);
      },
      () => {
        attempt.dropSilent(this.#commandTimeout);
        this.#client.late();
      },
    );
  }
}

/** The answers of a batch that succeeds or fails as a whole. */
export function answersOf(outcomes: readonly Outcome[]): unknown[] {
  return outcomes.map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}

/**
 * An error of ioredis without what was sent: that may be a password, which would come to light in a log, or a value of
 * many megabytes, which would be kept alive.
 */
export function withoutArguments(error: Error): Error {
  if ("command" in error) error.command = { name: commandName(error) };
  return error;
}
