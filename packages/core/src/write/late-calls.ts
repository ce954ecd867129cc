import type { Clock } from "../clock.js";
import type { Activities } from "../runtime/activities.js";

/** A call of a source that took too long. */
interface LateCall {
  readonly settled: Promise<void>;
  /** The elapsed time from which on nobody waits for it any more. */
  readonly until: number;
}

/**
 * The calls of sources that took too long, and are still under way. A newer value of their keys
 * waits for them, because they could overwrite it.
 */
export class LateCalls {
  readonly #clock: Clock;
  readonly #calls = new Map<Activities, Map<string, LateCall>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Takes a call in, until it has settled.
   *
   * @param limit the longest time that newer values wait for it, in milliseconds
   */
  add(activities: Activities, keys: readonly string[], settled: Promise<void>, limit: number): void {
    const calls = this.#calls.get(activities) ?? new Map<string, LateCall>();
    this.#calls.set(activities, calls);
    const call = { settled, until: this.#clock.elapsed() + limit };
    for (const key of keys) calls.set(key, call);
    void settled.then(() => {
      for (const key of keys) if (calls.get(key) === call) this.#delete(activities, calls, key);
    });
  }

  /** Returns what a newer value of the key waits for, if there is anything. */
  of(activities: Activities, key: string): Promise<void> | undefined {
    const calls = this.#calls.get(activities);
    const call = calls?.get(key);
    if (calls === undefined || call === undefined) return undefined;
    const left = call.until - this.#clock.elapsed();
    if (left > 0) return this.#within(call.settled, left);
    this.#delete(activities, calls, key);
    return undefined;
  }

  #delete(activities: Activities, calls: Map<string, LateCall>, key: string): void {
    calls.delete(key);
    if (calls.size === 0 && this.#calls.get(activities) === calls) this.#calls.delete(activities);
  }

  #within(settled: Promise<void>, limit: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(resolve, limit, { keepsAlive: true });
      void settled.then(() => {
        cancel();
        resolve();
      });
    });
  }
}
