import type { Generation } from "../storage/generations.js";

/**
 * A way to send short messages to every process of a program: a server, or a channel of the
 * machine. Its author implements this interface and {@link BusConnection}; the messages, their
 * numbers, heartbeats and the handling of gaps are Cacheme's.
 */
export interface Bus {
  /** The name in messages, such as `redis://localhost:6379`. It never holds a password. */
  readonly label: string;
  /**
   * Connects and subscribes. It resolves once the subscription is in force, and has called
   * {@link BusReceiver.subscribed} before. A bus that connects lazily resolves at once.
   *
   * Several receivers may be connected, each with a connection of its own.
   *
   * @throws any error if the bus cannot be used; then nothing stays open
   */
  connect(receiver: BusReceiver, space: BusSpace): Promise<BusConnection>;
}

/** The part of a space's set-up that a bus may need. */
export interface BusSpace {
  /** The first part of every storage key of the space, escaped, without the colon. */
  readonly prefix: string;
}

/**
 * The connection of one receiver.
 *
 * - Each message reaches every receiver, the sender's own too. The echo shows that the
 *   subscription works.
 * - Messages of one sender arrive in their order. Lost ones are noticed by their numbers.
 * - It connects again by itself, and reports each loss and each new subscription.
 * - Idle is idle: no socket and no timer keeps a finished program alive.
 */
export interface BusConnection {
  /** The most bytes of one message as UTF-8, at least 1,000. */
  readonly longestMessage: number;
  /**
   * Sends the messages in their order. It settles within a bounded time, and rejects if a message
   * may not have been sent. Called again only after it has settled.
   */
  publish(messages: readonly string[]): Promise<void>;
  /**
   * Drops its connections and makes new ones. Called if no message comes back, although no loss was
   * reported.
   */
  restart(reason: Error): void;
  /** Ends the subscription and its connections. Reports nothing any more. */
  close(): Promise<void>;
}

/** The reports of a {@link BusConnection}. None of these functions throws. */
export interface BusReceiver {
  /** A message of any sender has arrived. */
  message(text: string): void;
  /**
   * The subscription is in force, for the first time or again: messages that are published from now
   * on arrive. Messages that were published while it was lost never do.
   */
  subscribed(): void;
  /** The subscription was lost, or an attempt to make one has failed. */
  lost(reason: Error): void;
  /**
   * A server reports that other clients changed these storage keys, or perhaps any.
   *
   * @param keys keys as the storage has them, or `"all"`
   */
  changed(keys: readonly string[] | "all"): void;
}

/**
 * The news of tags that the bus brings. The table of tags implements it. A tag's known generation
 * only ever moves to a later time of the storage.
 */
export interface TagNews {
  /**
   * Another process has replaced the generation of a tag.
   *
   * @param storage the name of the storage that has made the new one, or `undefined` if none has it
   */
  invalidated(tag: string, storage: string | undefined, generation: Generation): void;
  /** Any generation may have been replaced unnoticed, so that nothing is known any more. */
  missed(): void;
  /** The record of a generation was changed in the storage; its new content is not known. */
  changed(storageKey: string): void;
}
