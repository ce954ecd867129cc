import { reasonOf } from "./errors.js";
import { optionError, shown } from "./option-checks.js";

/** Keeps a host awake until the promise has settled, as `waitUntil` does. */
export type KeepAwake = (work: Promise<unknown>) => void;

const nothing = (): void => {};

/**
 * Hands the work that no reader waits for to the host, which may otherwise freeze the program between
 * two requests. Without a host it does nothing.
 */
export class Background {
  keepAwake: KeepAwake | undefined;

  /** @throws ConfigurationError `CACHEME_INVALID_OPTION` for anything but a function */
  use(keepAwake: KeepAwake | undefined): void {
    if (keepAwake !== undefined && typeof keepAwake !== "function")
      throw optionError(`\`background\` must be a function that takes a promise, got ${shown(keepAwake)}.`);
    this.keepAwake = keepAwake;
  }

  /**
   * Begins a piece of work.
   *
   * @returns the function to call at its end
   */
  begin(): () => void {
    if (this.keepAwake === undefined) return nothing;
    let end = nothing;
    this.hand(
      new Promise<void>((resolve) => {
        end = resolve;
      }),
    );
    return end;
  }

  /** Hands over work that runs. The host gets a promise that never rejects. */
  hand(work: Promise<unknown>): void {
    if (this.keepAwake === undefined) return;
    try {
      this.keepAwake(work.then(nothing, nothing));
    } catch (error) {
      process.emitWarning(`The function \`background\` has thrown: ${reasonOf(error)}`, "CachemeWarning");
    }
  }
}
