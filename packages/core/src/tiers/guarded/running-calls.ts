import type { CancelTimer, Clock } from "../../clock.js";
import { setImmediate } from "../../timers.js";

/** A call that a storage has not answered yet. */
export class RunningCall {
  /** The time, by the clock that nobody sets, at which the caller stops waiting. */
  readonly due: number;
  /** `undefined` once the call has ended, so that nothing of it lives on in a table that V8 keeps. */
  late: (() => void) | undefined;

  constructor(due: number, late: () => void) {
    this.due = due;
    this.late = late;
  }
}

/**
 * The running calls of one storage and their deadlines. One timer serves all of them. It runs while
 * a call does, so it keeps the process alive for a caller that waits, and no longer.
 */
export class RunningCalls {
  readonly #clock: Clock;
  readonly #running = new Set<RunningCall>();
  #cancel: CancelTimer | undefined;
  #timerDue = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param late called if the call has not ended in time, at most once */
  begin(milliseconds: number, late: () => void): RunningCall {
    const call = new RunningCall(this.#clock.elapsed() + milliseconds, late);
    this.#running.add(call);
    if (call.due < this.#timerDue) this.#wait(call.due, milliseconds);
    return call;
  }

  /** Ends a call. Returns whether it was in time. */
  end(call: RunningCall): boolean {
    const isInTime = this.#running.delete(call);
    call.late = undefined;
    if (isInTime && this.#running.size === 0) this.#stop();
    return isInTime;
  }

  #wait(due: number, milliseconds: number): void {
    this.#stop();
    this.#timerDue = due;
    // After a busy time the answer may be unread in the socket. Sockets are read before immediates
    // run.
    const fired = () => setImmediate(() => this.#check(due));
    this.#cancel = this.#clock.schedule(fired, milliseconds, { keepsAlive: true });
  }

  #check(due: number): void {
    if (due !== this.#timerDue) return; // Another timer has replaced this one.
    this.#stop();
    const now = this.#clock.elapsed();
    let next = Number.POSITIVE_INFINITY;
    for (const call of [...this.#running]) {
      // A timer may fire a fraction of a millisecond early.
      if (call.due - now < 1) {
        this.#running.delete(call);
        call.late?.();
      } else if (call.due < next) next = call.due;
    }
    if (next < this.#timerDue) this.#wait(next, next - now);
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#timerDue = Number.POSITIVE_INFINITY;
  }
}
