import { type CircuitBreakerPolicy, CircuitState, CountBreaker, circuitBreaker, handleAll } from "cockatiel";
import type { CancelTimer, Clock } from "../../clock.js";
import type { BreakerState } from "../../events.js";
import type { BreakerSettings } from "./guard-options.js";

const states: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: "closed",
  [CircuitState.Open]: "open",
  [CircuitState.HalfOpen]: "half-open",
  [CircuitState.Isolated]: "open",
};

/**
 * The circuit breaker of one storage. It opens when the storage has stopped answering, so that
 * nobody waits for it. After a pause a call in the background tries the storage: if it answers, the
 * breaker closes.
 *
 * The states and the window of calls are cockatiel's. Three things are not. Its policy would make a
 * healthy call three times as slow, so it only sees calls while the window holds a failure. Its
 * pause follows the wall clock, so a clock that was set back would keep the breaker open. Its calls
 * wait for the trial in the half-open state, and here they fail at once.
 */
export class Breaker {
  readonly #policy: CircuitBreakerPolicy;
  /** The outcomes of the last calls. */
  readonly #window: CountBreaker;
  readonly #windowSize: number;
  readonly #settings: BreakerSettings;
  readonly #clock: Clock;
  readonly #try: () => Promise<unknown>;
  readonly #random: () => number;
  /** The number of successes after which the window holds no failure. */
  #successesToRecord = 0;
  /** The number of times that it has opened since the last answered call. */
  #opened = 0;
  #cancel: CancelTimer | undefined;
  #isStopped = false;

  /**
   * @param tries calls the storage; rejects if the storage does not answer
   * @param changed called whenever the state changes
   */
  constructor(
    settings: BreakerSettings,
    clock: Clock,
    tries: () => Promise<unknown>,
    changed: (state: BreakerState) => void,
    random: () => number = Math.random,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#try = tries;
    this.#random = random;
    this.#windowSize = 2 * settings.failures - 1;
    this.#window = new CountBreaker({ threshold: 0.5, size: this.#windowSize });
    this.#policy = circuitBreaker(handleAll, {
      breaker: this.#window,
      // Always in the past: the timer below decides.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
    });
    this.#policy.onStateChange((state) => {
      if (state === CircuitState.Open) this.#pause();
      else if (state === CircuitState.Closed) this.#fillWindow();
      changed(states[state]);
    });
    this.#fillWindow();
  }

  get state(): BreakerState {
    return states[this.#policy.state];
  }

  get isClosed(): boolean {
    return this.#policy.state === CircuitState.Closed;
  }

  /** Records a call that the storage answered. */
  succeeded(): void {
    if (this.#successesToRecord === 0 || !this.isClosed) return;
    this.#successesToRecord -= 1;
    this.#opened = 0;
    this.#record(succeed);
  }

  /** Records a call that the storage did not answer. */
  failed(error: Error): void {
    this.#successesToRecord = this.#windowSize;
    this.#record(() => {
      throw error;
    });
  }

  /** Stops trying. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  /** Records successes, as of a storage that has always answered. */
  #fillWindow(): void {
    this.#successesToRecord = 0;
    for (let call = 0; call < this.#windowSize; call++) this.#window.success(CircuitState.Closed);
  }

  #record(outcome: () => void): void {
    // The policy would take the outcome of a call from before it opened for its trial.
    if (this.isClosed) this.#policy.execute(outcome).catch(ignored);
  }

  #pause(): void {
    const { pause, longestPause } = this.#settings;
    const longest = Math.min(pause * 2 ** this.#opened, longestPause);
    this.#opened += 1;
    if (this.#isStopped) return;
    // Each process leaves out another part, so that they do not all come back at one moment.
    const milliseconds = longest * (0.5 + this.#random() / 2);
    this.#cancel = this.#clock.schedule(() => this.#halfOpen(), milliseconds);
  }

  #halfOpen(): void {
    this.#cancel = undefined;
    this.#policy.execute(this.#try).catch(ignored);
  }
}

function succeed(): void {}

/** The policy has seen the error, and the guard has passed it on. */
function ignored(): void {}
