import type { Activities } from "../runtime/activities.js";

/** The saves under way. Those of one key run one after the other, in the order of their calls. */
export class SaveLine {
  readonly #last = new Map<Activities, Map<string, Promise<void>>>();

  /** Runs the save when the earlier saves of the key have ended. */
  run<T>(activities: Activities, key: string, save: () => Promise<T>): Promise<T> {
    const lasts = this.#last.get(activities) ?? new Map<string, Promise<void>>();
    this.#last.set(activities, lasts);
    const before = lasts.get(key);
    const running = before === undefined ? save() : before.then(save);
    const ended: Promise<void> = running.then(nothing, nothing).then(() => {
      if (lasts.get(key) !== ended) return;
      lasts.delete(key);
      if (lasts.size === 0) this.#last.delete(activities);
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
