import type { Clock } from "../clock.js";
import { asError } from "../errors.js";
import type { BusConnection } from "./bus.js";
import type { ClassNews, MessageWriter, TagMessage } from "./message.js";

/**
 * The most keys of one class that wait to be sent. Beyond it the class is announced as a whole, so
 * that a storm takes neither memory nor time.
 */
const mostKeys = 10_000;

/** The most tags that wait to be sent. Beyond it receivers drop everything. */
const mostTags = 10_000;

/** Milliseconds that a caller waits for its news to be sent. */
const longestWait = 2_000;

/** Gathers the tasks of one tick. */
export interface Gatherer {
  add(task: () => void): void;
}

/**
 * The news that wait to be sent. All news of a tick travel together, and later ones wait until
 * those are sent, so that a slow bus gets fewer and fuller messages.
 */
export class Outbox {
  readonly #clock: Clock;
  readonly #tick: Gatherer;
  readonly #writer: MessageWriter;
  readonly #failed: (error: Error) => void;
  #connection: BusConnection | undefined;
  #classes = new Map<string, Set<string> | "all">();
  /** By tag and storage. The later one of two generations is sent. */
  #tags = new Map<string, TagMessage>();
  #waiting: (() => void)[] = [];
  /** The message without news that waits. */
  #plain: "beat" | "hello" | undefined;
  #isGathering = false;
  #sending: Promise<void> | undefined;
  /** Settles when the callers of the messages under way have been answered. */
  #answered: Promise<void> = Promise.resolve();
  /** The number of messages that the bus has taken. */
  sent = 0;

  /** @param failed called with the error of each failed call of the bus */
  constructor(clock: Clock, tick: Gatherer, writer: MessageWriter, failed: (error: Error) => void) {
    this.#clock = clock;
    this.#tick = tick;
    this.#writer = writer;
    this.#failed = failed;
  }

  /** Sends from now on, and first the news that have waited. */
  open(connection: BusConnection): void {
    this.#connection = connection;
    this.#gather();
  }

  /** @param done called when the news were sent, or could not be sent */
  addKey(busId: string, key: string, done: () => void): void {
    const known = this.#classes.get(busId);
    if (known === undefined) this.#classes.set(busId, new Set([key]));
    else if (known !== "all") {
      known.add(key);
      if (known.size > mostKeys) this.#classes.set(busId, "all");
    }
    this.#wait(done);
  }

  /** Does the same for every key of a class. */
  addAll(busId: string, done: () => void): void {
    this.#classes.set(busId, "all");
    this.#wait(done);
  }

  addTag(news: TagMessage, done: () => void): void {
    const id = JSON.stringify([news.tag, news.storage]);
    const known = this.#tags.get(id);
    if (known === undefined || known.generation.at <= news.generation.at) this.#tags.set(id, news);
    if (this.#tags.size > mostTags) {
      this.#tags.clear();
      this.#writer.skip();
      this.#plain ??= "beat";
    }
    this.#wait(done);
  }

  addBeat(): void {
    this.#plain ??= "beat";
    this.#gather();
  }

  /** Adds the first message after a subscription. */
  addHello(): void {
    this.#plain = "hello";
    this.#gather();
  }

  /** Sends the waiting news, and then the last message of this process. */
  async close(): Promise<void> {
    const connection = this.#connection;
    await this.#answered;
    this.#connection = undefined;
    if (connection === undefined) return;
    const messages = [...this.#takeMessages(connection.longestMessage), this.#writer.plain("leave")];
    this.#sending = this.#send(connection, messages, this.#takeWaiting());
    await this.#answered;
  }

  #wait(done: () => void): void {
    if (this.#connection === undefined) {
      done(); // The news wait until there is a connection, but no caller does.
      return;
    }
    this.#waiting.push(done);
    this.#gather();
  }

  #gather(): void {
    if (this.#isGathering || this.#sending !== undefined || this.#connection === undefined) return;
    this.#isGathering = true;
    this.#tick.add(() => {
      this.#isGathering = false;
      this.#flush();
    });
  }

  #flush(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#sending !== undefined) return;
    const messages = this.#takeMessages(connection.longestMessage);
    if (this.#plain !== undefined) messages.push(this.#writer.plain(this.#plain));
    this.#plain = undefined;
    const waiting = this.#takeWaiting();
    if (messages.length === 0) {
      for (const done of waiting) done();
      return;
    }
    this.#sending = this.#send(connection, messages, waiting).then(() => {
      this.#sending = undefined;
      if (this.#plain !== undefined || this.#waiting.length > 0) this.#gather();
    });
  }

  /** Never rejects. Receivers notice lost messages by the numbers. */
  async #send(
    connection: BusConnection,
    messages: readonly string[],
    waiting: readonly (() => void)[],
  ): Promise<void> {
    let isAnswered = false;
    let answered: () => void = () => {};
    this.#answered = new Promise((resolve) => {
      answered = resolve;
    });
    const answer = (): void => {
      if (isAnswered) return;
      isAnswered = true;
      cancel();
      for (const done of waiting) done();
      answered();
    };
    const late = (): void => {
      this.#failed(new Error(`it has not taken ${messages.length} messages within ${longestWait} ms`));
      answer();
    };
    // While callers wait, the process stays alive.
    const cancel = this.#clock.schedule(late, longestWait, { keepsAlive: waiting.length > 0 });
    try {
      await connection.publish(messages);
      this.sent += messages.length;
    } catch (error) {
      this.#failed(asError(error));
    }
    answer();
  }

  #takeMessages(longest: number): string[] {
    if (this.#classes.size === 0 && this.#tags.size === 0) return [];
    const classes = Array.from(this.#classes, ([busId, keys]): ClassNews => {
      return { busId, keys: keys === "all" ? "all" : [...keys] };
    });
    const tags = [...this.#tags.values()];
    this.#classes = new Map();
    this.#tags = new Map();
    return this.#writer.news(classes, tags, longest);
  }

  #takeWaiting(): (() => void)[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
