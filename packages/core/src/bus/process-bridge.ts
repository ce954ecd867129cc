import type { Cluster, Worker } from "node:cluster";
import type { BroadcastChannel } from "node:worker_threads";
import { clearTimeout, setTimeout } from "../timers.js";
import type { BusReceiver } from "./bus.js";

/** Milliseconds between two greetings of a worker that has no answer. */
const pause = 100;

/** Messages on the channel between threads. */
export interface Batch {
  readonly messages: readonly string[];
  /** Whether they have come from another process. */
  readonly isForeign: boolean;
}

/** A message between the primary of `node:cluster` and its workers. */
interface Parcel {
  readonly cachemeBus: string;
  readonly what: "hello" | "welcome" | "closing" | readonly string[];
}

/** The bridges of this process, by the name of the channel. */
const bridges = new Map<string, Bridge>();

/**
 * Passes messages on between the threads of this process and the other processes of `node:cluster`.
 * A process has one for each channel, in its main thread.
 */
export class Bridge {
  readonly #name: string;
  readonly #cluster: Cluster;
  readonly #channel: BroadcastChannel;
  readonly #members = new Set<BusReceiver>();
  /** Whether the primary has answered. The primary itself needs no answer. */
  #isJoined: boolean;
  #greeting: NodeJS.Timeout | undefined;
  #whenJoined: (() => void)[] = [];

  static of(name: string): Bridge {
    let bridge = bridges.get(name);
    if (bridge === undefined) {
      bridge = new Bridge(name);
      bridges.set(name, bridge);
    }
    return bridge;
  }

  private constructor(name: string) {
    this.#name = name;
    // The type is that of a module with a default export. The module is the default export itself.
    this.#cluster = process.getBuiltinModule("node:cluster") as unknown as Cluster;
    this.#isJoined = this.#cluster.isPrimary;
    const { BroadcastChannel } = process.getBuiltinModule("node:worker_threads");
    this.#channel = new BroadcastChannel(name);
    this.#channel.unref();
    this.#channel.onmessage = (event: unknown) => {
      const { messages, isForeign } = (event as { readonly data: Batch }).data;
      if (!isForeign) this.#send(messages);
    };
    if (this.#cluster.isPrimary) {
      this.#cluster.on("message", this.#fromWorker);
      this.#send("welcome"); // Workers that were forked before may wait for it.
    } else {
      process.on("message", this.#fromPrimary);
      process.on("disconnect", this.#disconnected);
      counted()?.unrefCounted?.();
    }
  }

  /** Adds a receiver. Returns whether its subscription has come into force in time. */
  async join(receiver: BusReceiver, milliseconds: number): Promise<boolean> {
    this.#members.add(receiver);
    if (this.#isJoined) {
      receiver.subscribed();
      return true;
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), milliseconds);
    });
    const joined = new Promise<boolean>((resolve) => this.#whenJoined.push(() => resolve(true)));
    this.greet();
    return await Promise.race([joined, late]).finally(() => clearTimeout(timer));
  }

  leave(receiver: BusReceiver): void {
    this.#members.delete(receiver);
    if (this.#members.size > 0) return;
    bridges.delete(this.#name);
    clearTimeout(this.#greeting);
    this.#channel.close();
    if (this.#cluster.isPrimary) this.#send("closing");
    this.#cluster.off("message", this.#fromWorker);
    if (this.#cluster.isPrimary) return;
    counted()?.refCounted?.();
    process.off("message", this.#fromPrimary);
    process.off("disconnect", this.#disconnected);
  }

  /** Greets the primary until it answers. */
  greet(): void {
    clearTimeout(this.#greeting);
    if (this.#cluster.isPrimary) {
      for (const receiver of this.#members) receiver.subscribed();
      return;
    }
    this.#send("hello");
    this.#greeting = setTimeout(() => this.greet(), pause).unref();
  }

  readonly #fromPrimary = (given: unknown): void => {
    const what = this.#contentOf(given);
    if (what === "welcome") this.#welcomed();
    else if (what === "closing") this.#lost(new Error("the primary of node:cluster has closed its bus"));
    else if (Array.isArray(what)) this.#post(what);
  };

  readonly #fromWorker = (sender: Worker, given: unknown): void => {
    const what = this.#contentOf(given);
    if (what === "hello") sendTo(sender, this.#parcel("welcome"));
    if (!Array.isArray(what)) return;
    this.#post(what);
    this.#send(what, sender);
  };

  readonly #disconnected = (): void => this.#lost(new Error("the primary of node:cluster has gone"));

  #welcomed(): void {
    clearTimeout(this.#greeting);
    this.#isJoined = true;
    for (const receiver of this.#members) receiver.subscribed();
    for (const joined of this.#whenJoined.splice(0)) joined();
  }

  #lost(reason: Error): void {
    this.#isJoined = false;
    for (const receiver of this.#members) receiver.lost(reason);
    if (process.connected) this.greet();
  }

  /** Passes messages of another process to the threads of this one. */
  #post(messages: readonly string[]): void {
    this.#channel.postMessage({ messages, isForeign: true } satisfies Batch);
  }

  /** Sends to the primary, or to every worker but the sender. */
  #send(what: Parcel["what"], sender?: Worker): void {
    const parcel = this.#parcel(what);
    if (!this.#cluster.isPrimary) {
      if (process.connected) process.send?.(parcel, undefined, undefined, ignore);
      return;
    }
    for (const worker of Object.values(this.#cluster.workers ?? {})) {
      if (worker !== undefined && worker !== sender) sendTo(worker, parcel);
    }
  }

  #parcel(what: Parcel["what"]): Parcel {
    return { cachemeBus: this.#name, what };
  }

  #contentOf(given: unknown): Parcel["what"] | undefined {
    const parcel = given as Partial<Parcel> | null | undefined;
    return parcel?.cachemeBus === this.#name ? parcel.what : undefined;
  }
}

/** The part of the channel to the primary that counts the listeners for which it stays open. */
interface Counted {
  refCounted?(): void;
  unrefCounted?(): void;
}

/**
 * Returns that channel. Node's `unref` would let the process end although the program listens, too.
 */
function counted(): Counted | undefined {
  return process.channel as Counted | undefined; // Node's types lack these two methods.
}

/** Sends without an error for a worker that has just ended. */
function sendTo(worker: Worker, parcel: Parcel): void {
  if (worker.isConnected()) worker.send(parcel, ignore);
}

function ignore(): void {
  // The receiver notices by the numbers what it has missed.
}
