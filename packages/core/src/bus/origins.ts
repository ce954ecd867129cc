import type { Message } from "./message.js";

/** The most senders that are remembered. A process that starts again is another sender. */
const mostOrigins = 10_000;

interface Origin {
  /** The number of its last known news. */
  sequence: number;
  heardAt: number;
}

/** The other senders, whose numbers show which messages were missed. */
export class Origins {
  readonly #known = new Map<string, Origin>();
  /** Whether every sender that was there at the subscription has had the time to answer the hello. */
  #isSettled = false;
  /** Whether a sender was met whose earlier messages may have been missed. */
  #metStrangers = false;

  get count(): number {
    return this.#known.size;
  }

  /** Begins from nothing, because a subscription has come into force. */
  begin(): void {
    this.#known.clear();
    this.#isSettled = false;
    this.#metStrangers = false;
  }

  /**
   * Ends the time in which unknown senders are no surprise.
   *
   * @returns whether one of them may have sent news that was missed since the subscription
   */
  settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    return this.#metStrangers;
  }

  /**
   * Notes a message of another sender.
   *
   * @returns whether news of this sender were missed before the message
   */
  heard({ origin, kind, sequence }: Message, now: number): boolean {
    const known = this.#known.get(origin);
    const before = kind === "news" ? sequence - 1 : sequence;
    if (known !== undefined) {
      const isGap = before > known.sequence;
      known.sequence = Math.max(known.sequence, sequence);
      known.heardAt = now;
      if (kind === "leave") this.#known.delete(origin);
      return isGap;
    }
    if (kind !== "leave") this.#add(origin, { sequence, heardAt: now });
    if (before <= 0) return false;
    this.#metStrangers = true;
    return this.#isSettled;
  }

  /**
   * Forgets the senders that were last heard before a time.
   *
   * @returns whether there was one
   */
  forgetSilent(before: number): boolean {
    const silent = [...this.#known].filter(([, { heardAt }]) => heardAt < before);
    for (const [origin] of silent) this.#known.delete(origin);
    return silent.length > 0;
  }

  #add(origin: string, state: Origin): void {
    if (this.#known.size >= mostOrigins) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(origin, state);
  }
}
