import type { BroadcastChannel } from "node:worker_threads";
import { StorageError } from "../errors.js";
import { optionError, refuseUnknownOptions, shown } from "../option-checks.js";
import type { Bus, BusConnection, BusReceiver } from "./bus.js";
import { type Batch, Bridge } from "./process-bridge.js";

/** The options of {@link processBus}. */
export interface ProcessBusOptions {
  /**
   * The name of the channel. Threads and workers with the same one hear each other. Default:
   * `"cacheme"`.
   */
  readonly channel?: string | undefined;
}

/** The most bytes of one message. A message is copied for each thread. */
const longestMessage = 65_536;

/** Milliseconds that a worker waits for the primary. */
const longestWait = 2_000;

/**
 * Makes a bus between the threads of one process (`node:worker_threads`), and between the workers of
 * `node:cluster`. Each thread and worker registers it, and so does the primary, which passes the
 * messages of the workers on.
 *
 * It reaches no process of another program, and no other machine.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 * @example
 * ```ts
 * await registerBus(processBus()); // in the primary before it forks, and in each worker
 * ```
 */
export function processBus(options: ProcessBusOptions = {}): Bus {
  refuseUnknownOptions(options, ["channel"], "processBus()");
  const { channel = "cacheme" } = options;
  if (typeof channel !== "string" || channel === "") {
    throw optionError(
      `The option channel of processBus() is ${shown(channel)}. Give a string that is not empty.`,
    );
  }
  return new ProcessBus(channel);
}

class ProcessBus implements Bus {
  readonly label: string;
  readonly #channel: string;

  constructor(channel: string) {
    this.label = `process bus "${channel}"`;
    this.#channel = channel;
  }

  async connect(receiver: BusReceiver): Promise<BusConnection> {
    const connection = new ProcessBusConnection(`cacheme bus ${this.#channel}`, receiver);
    if (await connection.open(longestWait)) return connection;
    await connection.close();
    throw new StorageError(
      "CACHEME_CONNECT_FAILED",
      `the primary of node:cluster has not answered within ${longestWait} ms. Call registerBus(processBus()) in the ` +
        "primary too, with the same channel, because workers reach each other through it.",
    );
  }
}

class ProcessBusConnection implements BusConnection {
  readonly longestMessage: number = longestMessage;
  readonly #name: string;
  readonly #receiver: BusReceiver;
  /** Two channels, because a channel does not hear itself. */
  readonly #sends: BroadcastChannel;
  readonly #hears: BroadcastChannel;
  #bridge: Bridge | undefined;
  #isClosed = false;

  constructor(name: string, receiver: BusReceiver) {
    this.#name = name;
    this.#receiver = receiver;
    const { BroadcastChannel } = process.getBuiltinModule("node:worker_threads");
    this.#sends = new BroadcastChannel(name);
    this.#hears = new BroadcastChannel(name);
    this.#sends.unref();
    this.#hears.unref();
    this.#hears.onmessage = (event: unknown) => this.#hear((event as { readonly data: Batch }).data);
  }

  /** Subscribes. Returns whether the primary has answered, if this is a worker. */
  async open(milliseconds: number): Promise<boolean> {
    const { isMainThread } = process.getBuiltinModule("node:worker_threads");
    if (!isMainThread) {
      this.#receiver.subscribed();
      return true;
    }
    this.#bridge = Bridge.of(this.#name);
    return this.#bridge.join(this.#receiver, milliseconds);
  }

  async publish(messages: readonly string[]): Promise<void> {
    this.#sends.postMessage({ messages, isForeign: false } satisfies Batch);
  }

  /** Subscribes again, because there is no connection that could be dead. */
  restart(): void {
    if (this.#bridge === undefined) this.#receiver.subscribed();
    else this.#bridge.greet();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#bridge?.leave(this.#receiver);
    this.#sends.close();
    this.#hears.close();
  }

  #hear({ messages }: Batch): void {
    for (const message of messages) if (!this.#isClosed) this.#receiver.message(message);
  }
}
