import type { Activities } from "../runtime/activities.js";

/** The saves under way. Those of one key run one after the other, in the order of their calls. */
export class SaveLine {
  readonly #last = new Map<Activities, Map<string, Promise<void>>>();

  /** Runs the save when the earlier saves of the key have ended. */
  run<T>(activities: Activities, key: string, save: () => Promise<T>): Promise<T> {
    const before = this.#last.get(activities)?.get(key);
    let running: Promise<T>;
    try {
      running = before === undefined ? save() : before.then(save);
    } catch (error) {
      return Promise.reject(error); // The save has not begun, so nobody waits for it.
    }
    const lasts = this.#last.get(activities) ?? new Map<string, Promise<void>>();
    this.#last.set(activities, lasts);
    const ended: Promise<void> = running.then(nothing, nothing).then(() => {
      if (lasts.get(key) !== ended) return;
      lasts.delete(key);
      if (lasts.size === 0 && this.#last.get(activities) === lasts) this.#last.delete(activities);
    });
    lasts.set(key, ended);
    return running;
  }

  /** Settles when no save is under way. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) {
      await Promise.all([...this.#last.values()].flatMap((lasts) => [...lasts.values()]));
    }
  }
}

function nothing(): void {}
