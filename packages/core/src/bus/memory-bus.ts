import { queueMicrotask } from "../timers.js";
import type { Bus, BusConnection, BusReceiver } from "./bus.js";

/** A bus between spaces of one process, for tests. */
export interface MemoryBus extends Bus {
  /** Cuts every connection. Messages that are published meanwhile are lost. */
  cut(reason?: Error): void;
  /** Ends the cut: the connections subscribe again. */
  heal(): void;
}

/** The options of {@link memoryBus}. */
export interface MemoryBusOptions {
  /** The most bytes of one message. Default: 65,536. */
  readonly longestMessage?: number | undefined;
}

/**
 * Makes a bus between spaces of one process, for tests: of two spaces that stand for two processes,
 * and of a program while its bus is down.
 *
 * @example
 * ```ts
 * const bus = memoryBus();
 * await one.registerBus(bus);
 * await other.registerBus(bus);
 * ```
 */
export function memoryBus({ longestMessage = 65_536 }: MemoryBusOptions = {}): MemoryBus {
  return new Hub(longestMessage);
}

class Hub implements MemoryBus {
  readonly label = "memory bus";
  readonly longestMessage: number;
  readonly members = new Set<Member>();
  #failure: Error | undefined;

  constructor(longestMessage: number) {
    this.longestMessage = longestMessage;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  async connect(receiver: BusReceiver): Promise<BusConnection> {
    if (this.#failure !== undefined) throw this.#failure;
    const member = new Member(this, receiver);
    this.members.add(member);
    receiver.subscribed();
    return member;
  }

  cut(reason: Error = new Error("the bus was cut")): void {
    this.#failure = reason;
    for (const { receiver } of this.members) receiver.lost(reason);
  }

  heal(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    for (const { receiver } of this.members) receiver.subscribed();
  }
}

class Member implements BusConnection {
  readonly receiver: BusReceiver;
  readonly longestMessage: number;
  readonly #hub: Hub;

  constructor(hub: Hub, receiver: BusReceiver) {
    this.#hub = hub;
    this.receiver = receiver;
    this.longestMessage = hub.longestMessage;
  }

  async publish(messages: readonly string[]): Promise<void> {
    const { failure, members } = this.#hub;
    if (failure !== undefined) throw failure;
    for (const member of members) {
      queueMicrotask(() => {
        if (!members.has(member) || this.#hub.failure !== undefined) return;
        for (const message of messages) member.receiver.message(message);
      });
    }
  }

  /** Subscribes again, because there is nothing that could be dead. */
  restart(): void {
    if (this.#hub.failure === undefined) this.receiver.subscribed();
  }

  async close(): Promise<void> {
    this.#hub.members.delete(this);
  }
}
