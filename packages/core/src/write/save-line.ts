import type { Activities } from "../runtime/activities.js";
import type { SaveFrame } from "./save-frame.js";

/** The last save of a key. */
interface Last {
  readonly frame: SaveFrame;
  readonly ended: Promise<void>;
}

/** The saves under way. Those of one key run one after the other, in the order of their calls. */
export class SaveLine {
  readonly #last = new Map<Activities, Map<string, Last>>();

  /**
   * Runs the save when the earlier saves of the key have ended.
   *
   * @throws SaveError `CACHEME_SAVE_CYCLE` if one of those waits for this one
   */
  run<T>(activities: Activities, key: string, frame: SaveFrame, save: () => Promise<T>): Promise<T> {
    const lasts = this.#last.get(activities) ?? new Map<string, Last>();
    const before = lasts.get(key);
    try {
      frame.begin(before?.frame);
    } catch (error) {
      return Promise.reject(error); // The save has not begun, so nobody waits for it.
    }
    this.#last.set(activities, lasts);
    let end = nothing;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const own = { frame, ended };
    // The source may save the key again before it returns, so the save is in the line by then.
    lasts.set(key, own);
    const leave = (): void => {
      frame.end();
      end();
      if (lasts.get(key) !== own) return;
      lasts.delete(key);
      if (lasts.size === 0 && this.#last.get(activities) === lasts) this.#last.delete(activities);
    };
    try {
      const running = before === undefined ? save() : before.ended.then(save);
      running.then(leave, leave);
      return running;
    } catch (error) {
      leave();
      return Promise.reject(error);
    }
  }

  /** Settles when no save is under way. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) {
      await Promise.all(
        [...this.#last.values()].flatMap((lasts) => [...lasts.values()].map(({ ended }) => ended)),
      );
    }
  }
}

function nothing(): void {}
