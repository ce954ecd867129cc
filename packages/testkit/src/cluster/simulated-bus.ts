import type { Bus, BusConnection, BusReceiver } from "cacheme";
import { exchange, type Sender } from "./exchange.js";
import type { Deliverable, Ending, Message, Network } from "./network.js";

/** The name of the bus among the places of a network. */
export const busName = "bus";

/** The bus of a cluster. Each message of it is under way to each process by itself. */
export class SimulatedBus {
  /** Called before a message, or a new subscription, reaches a process. */
  onBring: ((message: Message) => void) | undefined;
  readonly #network: Network;
  readonly #members = new Set<Member>();
  /** Called when a process publishes, before the messages are under way. */
  onPublish: ((process: number, texts: readonly string[], number: number) => void) | undefined;

  constructor(network: Network) {
    this.#network = network;
  }

  /** Returns the bus as one process sees it. */
  of(sender: Sender): Bus {
    return {
      label: `simulated bus of process ${sender.process}`,
      connect: async (receiver) => {
        const member = new Member(this, this.#network, sender, receiver);
        this.#members.add(member);
        member.subscribe();
        return member;
      },
    };
  }

  /** Ends the subscription of a process, and reports the loss to it. It subscribes again later. */
  lose(process: number, reason: Error = new Error("The connection to the bus was lost.")): void {
    for (const member of this.#members) if (member.process === process) member.lose(reason);
  }

  /** Sends the messages to every subscriber, the sender too. */
  publish(number: number, texts: readonly string[]): void {
    for (const member of this.#members) {
      if (!member.isSubscribed || member.sender.isDead) continue;
      for (const text of texts) this.#network.send(new News(this, this.#network, member, text, number));
    }
  }

  leave(member: Member): void {
    this.#members.delete(member);
  }
}

/** The connection of one process. */
class Member implements BusConnection {
  readonly longestMessage = 65_536;
  readonly process: number;
  readonly receiver: BusReceiver;
  readonly sender: Sender;
  isSubscribed = false;
  /** The number of subscriptions. A message reaches only the one that it was sent to. */
  subscriptions = 0;
  readonly #bus: SimulatedBus;
  readonly #network: Network;

  constructor(bus: SimulatedBus, network: Network, sender: Sender, receiver: BusReceiver) {
    this.#bus = bus;
    this.#network = network;
    this.sender = sender;
    this.process = sender.process;
    this.receiver = receiver;
  }

  publish(texts: readonly string[]): Promise<void> {
    const number = this.#network.nextNumber();
    this.#bus.onPublish?.(this.process, texts, number);
    return exchange(this.#network, {
      sender: this.sender,
      place: busName,
      operation: "publish",
      keys: texts,
      carryOut: () => this.#bus.publish(number, texts),
    });
  }

  subscribe(): void {
    if (this.sender.isDead) return;
    this.isSubscribed = true;
    this.subscriptions += 1;
    this.receiver.subscribed();
  }

  lose(reason: Error): void {
    if (this.sender.isDead || !this.isSubscribed) return;
    this.isSubscribed = false;
    this.receiver.lost(reason);
    this.#network.send(new Subscription(this.#bus, this.#network, this));
  }

  restart(reason: Error): void {
    this.lose(reason);
  }

  async close(): Promise<void> {
    this.isSubscribed = false;
    this.subscriptions += 1;
    this.#bus.leave(this);
  }
}

/** A message of the bus on its way to one process. */
class News implements Deliverable {
  readonly kind = "bus";
  readonly process: number;
  readonly place = busName;
  readonly operation = "news";
  readonly keys: readonly string[];
  /** The number of the publication. */
  readonly number: number;
  readonly isAwaited = false;
  readonly #network: Network;
  readonly #member: Member;
  readonly #subscription: number;
  readonly #bus: SimulatedBus;

  constructor(bus: SimulatedBus, network: Network, member: Member, text: string, number: number) {
    this.#bus = bus;
    this.#network = network;
    this.#member = member;
    this.#subscription = member.subscriptions;
    this.process = member.process;
    this.keys = [text];
    this.number = number;
  }

  end(how: Ending): void {
    const { sender, isSubscribed, subscriptions, receiver } = this.#member;
    if (sender.isDead || !isSubscribed || subscriptions !== this.#subscription) return;
    if (how === "fail" || how === "giveUp") return;
    const [text = ""] = this.keys;
    if (how === "repeat")
      this.#network.send(new News(this.#bus, this.#network, this.#member, text, this.number));
    this.#bus.onBring?.(this);
    receiver.message(text);
  }
}

/** A process's attempt to subscribe again. */
class Subscription implements Deliverable {
  readonly kind = "bus";
  readonly process: number;
  readonly place = busName;
  readonly operation = "subscribe";
  readonly keys = [];
  readonly number: number;
  readonly isAwaited = true;
  readonly #network: Network;
  readonly #member: Member;
  readonly #bus: SimulatedBus;

  constructor(bus: SimulatedBus, network: Network, member: Member) {
    this.#bus = bus;
    this.#network = network;
    this.#member = member;
    this.process = member.process;
    this.number = network.nextNumber();
  }

  end(how: Ending): void {
    if (this.#member.sender.isDead) return;
    if (how === "arrive" || how === "repeat") {
      this.#bus.onBring?.(this);
      this.#member.subscribe();
    } else this.#network.send(new Subscription(this.#bus, this.#network, this.#member));
  }
}
