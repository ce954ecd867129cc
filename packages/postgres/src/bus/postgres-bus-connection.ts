import { randomUUID } from "node:crypto";
import {
  asError,
  type BusReceiver,
  backOff,
  clearTimeout,
  Deferred,
  noAnswer,
  type OpeningBus,
  refusedConnection,
  setTimeout,
} from "cacheme/driver";
import type pg from "pg";
import { LastingClient } from "./lasting-client.js";
import type { BusSettings } from "./options.js";

/** The most bytes of a payload of NOTIFY. */
const longestMessage = 7_999;

/** The beginning of the messages that test the subscription. */
const probeMark = "cacheme probe ";

export interface PostgresBusPlace {
  readonly label: string;
  readonly config: pg.ClientConfig;
}

/** The two connections of a bus: one listens, and the other one notifies. */
export class PostgresBusConnection implements OpeningBus {
  readonly longestMessage: number = longestMessage;
  readonly #settings: BusSettings;
  readonly #label: string;
  readonly #receiver: BusReceiver;
  readonly #listener: LastingClient;
  readonly #notifier: LastingClient;
  /** Settles with the first subscription, or with the first failure. */
  readonly opened: Deferred = new Deferred();
  #probe: { readonly text: string; heard(): void } | undefined;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ label, config }: PostgresBusPlace, settings: BusSettings, receiver: BusReceiver) {
    this.#settings = settings;
    this.#label = label;
    this.#receiver = receiver;
    const { connectTimeout } = settings;
    this.#listener = new LastingClient({
      config,
      connectTimeout,
      prepare: (client) => this.#listen(client),
      ready: () => void this.#test(),
      lost: (reason) => this.#lost(reason),
    });
    this.#notifier = new LastingClient({
      config,
      connectTimeout,
      prepare: async () => {},
      ready: () => {},
      lost: (reason) => this.opened.reject(reason),
    });
  }

  /** Connects, and goes on in the background. */
  open(): void {
    for (const client of [this.#listener, this.#notifier]) client.get().catch(() => {});
  }

  async publish(messages: readonly string[]): Promise<void> {
    const { commandTimeout, channel } = this.#settings;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#notifier.drop();
        reject(noAnswer(commandTimeout));
      }, commandTimeout).unref();
    });
    const send = async (): Promise<void> => {
      const client = await this.#notifier.get();
      // Equal payloads of one transaction would become one. Each message has its own number.
      const text =
        "SELECT pg_notify($1, message) FROM unnest($2::text[]) WITH ORDINALITY AS list(message, place) ORDER BY place";
      await client.query(text, [channel, messages]);
    };
    const sent = send();
    sent.catch(() => {});
    await Promise.race([sent, late]).finally(() => clearTimeout(timer));
  }

  restart(): void {
    this.#listener.drop();
    this.#notifier.drop();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.opened.reject(new Error("the bus was closed"));
    await Promise.all([this.#listener.close(), this.#notifier.close()]);
  }

  async #listen(client: pg.Client): Promise<void> {
    client.on("notification", ({ payload = "" }) => {
      if (payload === this.#probe?.text) this.#probe.heard();
      else if (!this.#isClosed && !payload.startsWith(probeMark)) this.#receiver.message(payload);
    });
    await client.query(`LISTEN ${client.escapeIdentifier(this.#settings.channel)}`);
  }

  /**
   * Sends a message from the other connection, and waits for it. Behind a pooler that lends a
   * connection for one transaction, LISTEN succeeds and nothing ever arrives. There a test on the
   * listening connection would pass, because the pooler lends it the server's connection meanwhile.
   */
  async #test(): Promise<void> {
    try {
      await this.#heardFromTheOther();
      this.#failures = 0;
      if (this.#isClosed) return;
      this.#receiver.subscribed();
      this.opened.resolve();
    } catch (error) {
      if (this.#isClosed) return;
      this.#lost(asError(error));
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#listener.drop(), backOff(this.#failures++)).unref();
    }
  }

  async #heardFromTheOther(): Promise<void> {
    const { commandTimeout } = this.#settings;
    const text = `${probeMark}${randomUUID()}`;
    const heard = new Promise<void>((resolve) => {
      this.#probe = { text, heard: resolve };
    });
    await this.publish([text]);
    let timer: NodeJS.Timeout | undefined;
    const isDeaf = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), commandTimeout).unref();
    });
    if ((await Promise.race([heard, isDeaf]).finally(() => clearTimeout(timer))) !== true) return;
    throw refusedConnection(this.#label, await this.#reasonForDeafness(), remedy);
  }

  /** A pooler gives its clients process numbers of its own. */
  async #reasonForDeafness(): Promise<string> {
    const what = "the notifications of another connection do not arrive";
    const client: pg.Client & { readonly processID?: number } = await this.#listener.get();
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    return rows[0]?.pid === client.processID
      ? what
      : `${what}, because a pooler such as PgBouncer in transaction mode is in between`;
  }

  #lost(reason: Error): void {
    if (this.#isClosed) return;
    this.opened.reject(reason);
    this.#receiver.lost(reason);
  }
}

const remedy =
  "Give the bus the address of the server itself, or of a pooler in session mode; the storage may stay behind the pooler.";
