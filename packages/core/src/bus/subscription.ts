import type { Clock } from "../clock.js";
import type { BusDropReason, Events } from "../events.js";
import type { BoundClass, BoundClasses } from "./bound-class.js";
import type { BusReceiver, TagNews } from "./bus.js";
import { Inbox } from "./inbox.js";
import { type Message, readMessage } from "./message.js";
import { Origins } from "./origins.js";

/** The number of reported keys that are handled at once. */
const keysPerTask = 1_000;

/** The number of heartbeats that may be missed. */
const missedBeats = 3;

/** Milliseconds in which the other processes answer a hello, if a heartbeat takes longer. */
const helloTime = 500;

/** The dependencies of a {@link Subscription}. */
export interface SubscriptionOptions {
  readonly label: string;
  readonly clock: Clock;
  readonly events: Events;
  readonly classes: BoundClasses;
  readonly tagNews: () => TagNews | undefined;
  /** The random id of this sender. */
  readonly origin: string;
  /** Milliseconds between two heartbeats. */
  readonly heartbeat: number;
  /** Sends a heartbeat. */
  readonly beat: () => void;
  /** Asks the other senders for the numbers of their last news. */
  readonly hello: () => void;
  /** Makes the bus connect again, because it is deaf. */
  readonly restart: (reason: Error) => void;
  /** Called with an error of a local storage, or of the bus. */
  readonly failed: (error: unknown) => void;
  /** Called after the bus went down, and after it came back. */
  readonly changedState: () => void;
}

/**
 * The receiving side of a bus. It fences and drops what a message names, and everything if a
 * message may have been missed.
 */
export class Subscription implements BusReceiver {
  readonly #options: SubscriptionOptions;
  readonly #origins = new Origins();
  readonly #inbox: Inbox;
  #state: "connecting" | "subscribed" | "lost" | "closed" = "connecting";
  #lastError: Error | undefined;
  /** The time of the last message of this process that has come back. */
  #echoedAt = 0;
  #checkedAt = 0;
  #cancelBeat: (() => void) | undefined;
  #cancelHello: (() => void) | undefined;
  #received = 0;
  #unreadable = 0;
  #drops = 0;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#inbox = new Inbox(options.clock, () => this.#dropAll("overflow"));
  }

  get state(): "connecting" | "subscribed" | "lost" | "closed" {
    return this.#state;
  }

  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** The number of other senders that are known. */
  get origins(): number {
    return this.#origins.count;
  }

  /** The number of messages of other senders. */
  get received(): number {
    return this.#received;
  }

  /** The number of texts that are no messages of Cacheme. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** The number of times that everything was dropped. */
  get drops(): number {
    return this.#drops;
  }

  subscribed(): void {
    if (this.#state === "closed") return;
    const { clock, label, events, changedState, heartbeat, hello } = this.#options;
    this.#state = "subscribed";
    this.#echoedAt = clock.elapsed();
    this.#origins.begin();
    this.#inbox.clear();
    this.#dropAll("subscribed");
    changedState();
    if (events.listeners.busState !== null) events.emit("busState", { bus: label, state: "subscribed" });
    this.#beatLater();
    this.#cancelHello?.();
    this.#cancelHello = clock.schedule(() => this.#settle(), Math.min(heartbeat, helloTime));
    hello();
  }

  lost(reason: Error): void {
    if (this.#state === "closed") return;
    this.#lastError = reason;
    if (this.#state === "lost") return;
    const { label, events, changedState } = this.#options;
    this.#state = "lost";
    changedState();
    if (events.listeners.busState !== null) {
      events.emit("busState", { bus: label, state: "lost", error: reason });
    }
  }

  message(text: string): void {
    if (this.#state !== "closed") this.#inbox.add(() => this.#read(text));
  }

  #read(text: string): void {
    const message = readMessage(text);
    if (message === undefined) this.#unreadable += 1;
    else if (message === "newer") this.#dropAll("newer");
    else if (message.prefix === this.#options.classes.busPrefix) this.#take(message);
  }

  changed(keys: readonly string[] | "all"): void {
    if (this.#state === "closed") return;
    if (keys === "all") {
      this.#dropAll("server");
      return;
    }
    for (let start = 0; start < keys.length; start += keysPerTask) {
      const some = keys.slice(start, start + keysPerTask);
      this.#inbox.add(() => this.#overtake(some));
    }
  }

  #overtake(keys: readonly string[]): void {
    const { classes, tagNews } = this.#options;
    for (const storageKey of keys) {
      if (storageKey.startsWith(`${classes.busPrefix}:~`)) {
        tagNews()?.changed(storageKey);
        continue;
      }
      const entry = classes.boundEntry(storageKey);
      if (entry !== undefined) this.#drop(entry.bound, entry.key === undefined ? "all" : [entry.key]);
    }
  }

  close(): void {
    this.#state = "closed";
    this.#inbox.clear();
    this.#cancelBeat?.();
    this.#cancelHello?.();
  }

  #take(message: Message): void {
    const { clock, origin, classes, tagNews } = this.#options;
    const now = clock.elapsed();
    if (message.origin === origin) {
      this.#echoedAt = now;
      return;
    }
    this.#received += 1;
    if (message.kind === "hello") this.#options.beat();
    if (this.#origins.heard(message, now)) this.#dropAll("gap");
    for (const { busId, keys } of message.classes) {
      const bound = classes.boundClass(busId);
      if (bound !== undefined) this.#drop(bound, keys);
    }
    for (const { tag, storage, generation } of message.tags) {
      tagNews()?.invalidated(tag, storage, generation);
    }
  }

  #dropAll(reason: BusDropReason): void {
    const { classes, tagNews, label, events } = this.#options;
    this.#drops += 1;
    for (const bound of classes.boundClasses()) this.#drop(bound, "all");
    tagNews()?.missed();
    if (events.listeners.busDrop !== null) events.emit("busDrop", { bus: label, reason });
  }

  /** Fences and drops. A storage that fails keeps nobody from hearing the rest. */
  #drop(bound: BoundClass, keys: readonly string[] | "all"): void {
    try {
      if (keys === "all") bound.overtakeAll();
      else for (const key of keys) bound.overtake(key);
    } catch (error) {
      this.#options.failed(error);
    }
  }

  #beatLater(): void {
    const { clock, heartbeat } = this.#options;
    this.#cancelBeat?.();
    this.#checkedAt = clock.elapsed();
    this.#cancelBeat = clock.schedule(() => this.#beat(), heartbeat);
  }

  #beat(): void {
    const { clock, heartbeat, beat } = this.#options;
    const now = clock.elapsed();
    // A process that was suspended reads the messages of that time first.
    const wasSuspended = now - this.#checkedAt > missedBeats * heartbeat;
    if (this.#state === "subscribed" && !wasSuspended) this.#check(now - missedBeats * heartbeat);
    this.#beatLater();
    beat();
  }

  /** Handles the end of the time in which the other senders have answered. */
  #settle(): void {
    if (this.#state === "subscribed" && this.#origins.settle()) this.#dropAll("settled");
  }

  /** @param limit the time since which each sender must have been heard */
  #check(limit: number): void {
    if (this.#origins.forgetSilent(limit)) this.#dropAll("heartbeat");
    if (this.#echoedAt >= limit) return;
    const reason = new Error(
      "no message of this process has come back although the subscription was in force",
    );
    this.lost(reason);
    try {
      this.#options.restart(reason);
    } catch (error) {
      this.#options.failed(error);
    }
  }
}
