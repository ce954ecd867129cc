import type { BusReceiver, OpeningBus } from "cacheme/driver";
import { asError, backOff, clearTimeout, Deferred, noAnswer, setTimeout } from "cacheme/driver";
import type { BusClient, BusClients } from "./bus-clients.js";
import type { BusSettings } from "./options.js";
import type { Tracking } from "./tracking.js";

/**
 * The most bytes of one message. A server cuts a subscriber off that is 32 MB behind, or 8 MB for a
 * minute, so messages are small beside that.
 */
const longestMessage = 65_536;

/** The two connections of a bus, and the subscription in one of them. */
export class RedisBusConnection implements OpeningBus {
  readonly longestMessage: number = longestMessage;
  readonly #subscriber: BusClient;
  readonly #publisher: BusClient;
  readonly #settings: BusSettings;
  readonly #receiver: BusReceiver;
  readonly #tracking: Tracking | undefined;
  /** Counts the beginnings of subscriptions, so that an older one ends when a newer one begins. */
  #attempts = 0;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Settles with the first subscription, or with the first failure. */
  readonly opened: Deferred = new Deferred();

  constructor(
    { subscriber, publisher }: BusClients,
    settings: BusSettings,
    receiver: BusReceiver,
    tracking: Tracking | undefined,
  ) {
    this.#subscriber = subscriber;
    this.#publisher = publisher;
    this.#settings = settings;
    this.#receiver = receiver;
    this.#tracking = tracking;
    subscriber.client.on("message", (_channel: string, text: string) => this.#receive(text));
    subscriber.client.on("ready", () => void this.#subscribe());
    tracking?.listen(subscriber.client);
    // A server forgets a client's tracking with its connection, and tells nobody.
    if (tracking !== undefined) publisher.client.on("ready", () => void this.#subscribe());
  }

  /** Connects, and goes on in the background. */
  open(): void {
    for (const { connection } of [this.#subscriber, this.#publisher]) {
      connection.untilReady().catch((error: unknown) => this.#fail(asError(error)));
    }
  }

  /** Must be called when one of the clients has lost its connection. */
  lost(role: keyof BusClients): void {
    // A publisher of messages has nothing to lose: each failed message is noticed by its number.
    if (this.#isClosed || (role === "publisher" && this.#tracking === undefined)) return;
    this.#attempts += 1;
    this.#receiver.lost(new Error("the connection to the server was lost"));
  }

  async publish(messages: readonly string[]): Promise<void> {
    const { connection, client } = this.#publisher;
    const { commandTimeout, channel } = this.#settings;
    const heard = connection.heard();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        connection.dropIfSilent(heard, commandTimeout);
        reject(noAnswer(commandTimeout));
      }, commandTimeout).unref();
    });
    const send = async (): Promise<void> => {
      if (!connection.isReady) await connection.open();
      const pipeline = client.pipeline();
      // A Cluster answers 0 to a message that only other nodes' subscribers hear.
      for (const message of messages) pipeline.publish(channel, message);
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    };
    const sent = send();
    sent.catch(() => {});
    await Promise.race([sent, late]).finally(() => clearTimeout(timer));
  }

  restart(): void {
    this.#subscriber.connection.drop();
    this.#publisher.connection.drop();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#tracking?.close();
    this.opened.reject(new Error("the bus was closed"));
    await Promise.all([this.#subscriber.connection.close(), this.#publisher.connection.close()]);
  }

  #receive(text: string): void {
    if (!this.#isClosed) this.#receiver.message(text);
  }

  /** Subscribes on a new connection, and reports once the server has confirmed it. */
  async #subscribe(): Promise<void> {
    const attempt = ++this.#attempts;
    const isCurrent = (): boolean => attempt === this.#attempts && !this.#isClosed;
    clearTimeout(this.#retry);
    const { commandTimeout, channel } = this.#settings;
    const timer = setTimeout(() => {
      if (isCurrent()) this.#subscriber.connection.drop();
    }, commandTimeout).unref();
    try {
      if (this.#tracking === undefined) await this.#subscriber.client.subscribe(channel);
      else await this.#tracking.begin(this.#subscriber, this.#publisher, channel, isCurrent);
      if (!isCurrent()) return;
      this.#failures = 0;
      this.#receiver.subscribed();
      this.opened.resolve();
    } catch (error) {
      if (isCurrent()) this.#refused(asError(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    this.opened.reject(error);
    this.#receiver.lost(error);
  }

  /** Connects again after a pause, because the server has refused the subscription. */
  #refused(error: Error): void {
    this.#fail(error);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.restart(), backOff(this.#failures++)).unref();
  }
}
