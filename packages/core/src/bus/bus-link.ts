import type { CancelTimer, Clock } from "../clock.js";
import {
  asError,
  type CachemeError,
  ConfigurationError,
  closedError,
  reasonOf,
  StorageError,
  sentence,
} from "../errors.js";
import type { CachemeEvents, Events } from "../events.js";
import type { WhenBusDown } from "../node/meta.js";
import { optionError, refuseUnknownOptions, shown, timerMilliseconds } from "../option-checks.js";
import type { BoundClass, BoundClasses } from "./bound-class.js";
import type { Bus, BusConnection, TagNews } from "./bus.js";
import type { RegisterBusOptions } from "./bus-options.js";
import type { BusStatus } from "./bus-status.js";
import { MessageWriter, type TagMessage } from "./message.js";
import { type Gatherer, Outbox } from "./outbox.js";
import { Subscription } from "./subscription.js";

interface Settings {
  readonly whenBusDown: WhenBusDown;
  readonly ttlWhenDown: number;
  readonly heartbeat: number;
}

interface Registration {
  readonly bus: Bus;
  readonly settings: Settings;
  readonly subscription: Subscription;
  readonly outbox: Outbox;
  connected: Promise<void>;
  connection: BusConnection | undefined;
}

/** The bus of one `Cacheme`, if it has one: news from other processes, and for them. */
export class BusLink {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #tick: Gatherer;
  #registration: Registration | undefined;
  #isRetired = false;
  #isClosed = false;
  #failureCount = 0;
  #lastFailure: Error | undefined;
  #cancelBound: CancelTimer | undefined;
  /** The table of tags, which hears of new generations. */
  tagNews: TagNews | undefined;

  constructor(clock: Clock, events: Events, tick: Gatherer) {
    this.#clock = clock;
    this.#events = events;
    this.#tick = tick;
  }

  get isRegistered(): boolean {
    return this.#registration !== undefined;
  }

  /** Whether the local tiers of a class are not used now. */
  isBypassing(own: WhenBusDown | undefined): boolean {
    const registration = this.#registration;
    if (registration === undefined || registration.subscription.state === "subscribed") return false;
    return (own ?? registration.settings.whenBusDown) === "bypass";
  }

  /**
   * Connects a bus.
   *
   * @throws ConfigurationError `CACHEME_DUPLICATE_BUS` if there is another one,
   *   `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`
   * @throws StorageError `CACHEME_CONNECT_FAILED` if it cannot be connected; then there is none
   */
  async register(bus: Bus, options: RegisterBusOptions, classes: BoundClasses): Promise<void> {
    checkBus(bus);
    const settings = checked(options);
    const known = this.#registration;
    if (known !== undefined) {
      if (known.bus !== bus && known.bus.label !== bus.label) throw duplicateBus(known.bus, bus);
      await known.connected;
      return;
    }
    const registration = this.#registrationOf(bus, settings, classes);
    this.#registration = registration;
    this.#changedState(registration, classes);
    registration.connected = this.#connect(registration, classes);
    await registration.connected;
  }

  /** @param done called when the news were sent, or could not be sent */
  invalidated(busId: string, key: string, done: () => void): void {
    if (this.#registration === undefined || this.#isClosed) done();
    else this.#registration.outbox.addKey(busId, key, done);
  }

  /** @param done called when the news were sent, or could not be sent */
  allInvalidated(busId: string, done: () => void): void {
    if (this.#registration === undefined || this.#isClosed) done();
    else this.#registration.outbox.addAll(busId, done);
  }

  /** @param done called when the news were sent, or could not be sent */
  tagInvalidated(news: TagMessage, done: () => void): void {
    if (this.#registration === undefined || this.#isClosed) done();
    else this.#registration.outbox.addTag(news, done);
  }

  status(): BusStatus | undefined {
    const registration = this.#registration;
    if (registration === undefined) return undefined;
    const { bus, subscription, outbox } = registration;
    return {
      label: bus.label,
      state: subscription.state,
      sent: outbox.sent,
      received: subscription.received,
      unreadable: subscription.unreadable,
      drops: subscription.drops,
      processes: subscription.origins,
      failureCount: this.#failureCount,
      lastError: this.#lastFailure ?? subscription.lastError,
    };
  }

  /** Takes no bus any more. One that is still being connected is closed once it is connected. */
  retire(): void {
    this.#isRetired = true;
  }

  /** Sends the rest, and closes the bus. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const registration = this.#registration;
    if (registration === undefined) return;
    this.#cancelBound?.();
    await registration.connected.catch(() => {});
    await registration.outbox.close();
    registration.subscription.close();
    await this.#closeConnection(registration.connection);
  }

  #registrationOf(bus: Bus, settings: Settings, classes: BoundClasses): Registration {
    const { label } = bus;
    // Loaded here, because node:crypto takes milliseconds to load.
    const origin = process.getBuiltinModule("node:crypto").randomUUID();
    const writer = new MessageWriter(classes.busPrefix, origin);
    const outbox = new Outbox(this.#clock, this.#tick, writer, (error) => this.#failed("publish", error));
    const subscription: Subscription = new Subscription({
      label,
      clock: this.#clock,
      events: this.#events,
      classes,
      tagNews: () => this.tagNews,
      origin,
      heartbeat: settings.heartbeat,
      beat: () => outbox.addBeat(),
      hello: () => outbox.addHello(),
      restart: (reason) => registration.connection?.restart(reason),
      failed: (error) => this.#failed("receive", error),
      changedState: () => this.#changedState(registration, classes),
    });
    const registration: Registration = {
      bus,
      settings,
      subscription,
      outbox,
      connected: Promise.resolve(),
      connection: undefined,
    };
    return registration;
  }

  async #connect(registration: Registration, classes: BoundClasses): Promise<void> {
    const { bus, subscription, outbox } = registration;
    try {
      registration.connection = await bus.connect(subscription, { prefix: classes.busPrefix });
    } catch (cause) {
      subscription.close();
      this.#cancelBound?.();
      this.#registration = undefined;
      throw notConnected(bus, cause);
    }
    if (this.#isRetired) {
      subscription.close();
      await this.#closeConnection(registration.connection);
      throw closedError(`The bus ${bus.label} was connected`);
    }
    outbox.open(registration.connection);
  }

  async #closeConnection(connection: BusConnection | undefined): Promise<void> {
    try {
      await connection?.close();
    } catch (error) {
      this.#failed("close", error);
    }
  }

  /** Bounds the time in which local entries are served while the bus is down. */
  #changedState(registration: Registration, classes: BoundClasses): void {
    this.#cancelBound?.();
    this.#cancelBound = undefined;
    const { subscription, settings } = registration;
    if (subscription.state === "subscribed") return;
    this.#clear(classes, ({ bypassesLocalTiers }) => bypassesLocalTiers);
    const bind = (): void => {
      this.#cancelBound = this.#clock.schedule(() => {
        this.#clear(classes, () => true);
        bind();
      }, settings.ttlWhenDown);
    };
    bind();
  }

  #clear(classes: BoundClasses, concerns: (bound: BoundClass) => boolean): void {
    for (const bound of classes.boundClasses()) {
      try {
        if (concerns(bound)) bound.clearLocally();
      } catch (error) {
        this.#failed("receive", error);
      }
    }
  }

  #failed(operation: CachemeEvents["busError"]["operation"], thrown: unknown): void {
    const error = asError(thrown);
    this.#failureCount += 1;
    this.#lastFailure = error;
    const { bus } = this.#registration ?? {};
    if (bus === undefined || this.#events.listeners.busError === null) return;
    this.#events.emit("busError", { bus: bus.label, operation, error });
  }
}

function checkBus(bus: Bus): void {
  const given: Partial<Bus> | null | undefined = bus;
  if (typeof given?.connect === "function" && typeof given.label === "string") return;
  throw optionError(
    `registerBus(…) expected a bus, got ${shown(given)}. Give the result of redisBus(), postgresBus(), processBus() ` +
      "or memoryBus().",
  );
}

function checked(options: RegisterBusOptions): Settings {
  refuseUnknownOptions(options, ["heartbeat", "ttlWhenDown", "whenBusDown"], "registerBus()");
  const { heartbeat = "5s", ttlWhenDown = "10s", whenBusDown = "bounded" } = options;
  if (whenBusDown !== "bounded" && whenBusDown !== "bypass") {
    throw optionError(
      `The option whenBusDown of registerBus() is ${shown(whenBusDown)}. Give "bounded" or "bypass".`,
    );
  }
  return {
    whenBusDown,
    ttlWhenDown: timerMilliseconds(ttlWhenDown, "option ttlWhenDown of registerBus()"),
    heartbeat: timerMilliseconds(heartbeat, "option heartbeat of registerBus()"),
  };
}

function duplicateBus(known: Bus, given: Bus): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_DUPLICATE_BUS",
    `registerBus(…) got the bus ${given.label}, but the bus ${known.label} is registered already. A space has one bus: ` +
      "register one of them, or make another Cacheme.",
  );
}

/** Our own buses' errors already name the address and the remedy. */
function notConnected(bus: Bus, cause: unknown): CachemeError {
  if (cause instanceof ConfigurationError) return cause;
  const message = `The bus ${bus.label} could not be connected: ${sentence(reasonOf(cause))}`;
  const code = cause instanceof StorageError ? cause.code : "CACHEME_CONNECT_FAILED";
  return new StorageError(code, message, { cause });
}
