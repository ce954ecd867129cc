import { AsyncLocalStorage } from "node:async_hooks";
import { SaveError } from "../errors.js";

/**
 * A save under way, as a node of the graph of waits. A save waits for an earlier one of its key, and
 * for the saves that its source makes. A save that would close a circle is refused, because no save
 * in the circle would ever end.
 */
export class SaveFrame {
  readonly label: string;
  /** The saves for which it waits; `undefined` as long as there was none. */
  #needs: Set<SaveFrame> | undefined;
  readonly #outer: readonly SaveFrame[];
  #hasEnded = false;

  /** @param label the node and its key, as messages show it */
  constructor(label: string) {
    this.label = label;
    this.#outer = running === 0 ? none : (frames.getStore() ?? none);
  }

  /**
   * Begins to wait for an earlier save, on behalf of the sources that made this one. A timer or a
   * consumer that a source has begun still runs in its context when the save has ended. Then nothing
   * waits for it.
   *
   * @throws SaveError `CACHEME_SAVE_CYCLE` if that one waits for one of those sources
   */
  begin(earlier: SaveFrame | undefined): void {
    const outers = this.#outer.filter((outer) => !outer.#hasEnded);
    const way = earlier && outers.length > 0 ? wayTo(earlier, outers) : undefined;
    if (way !== undefined) throw cycle(way);
    if (earlier !== undefined) this.#needs = new Set([earlier]);
    for (const outer of outers) {
      outer.#needs ??= new Set();
      outer.#needs.add(this);
    }
  }

  end(): void {
    this.#hasEnded = true;
    for (const outer of this.#outer) outer.#needs?.delete(this);
    this.#needs = undefined;
  }

  get needs(): Iterable<SaveFrame> {
    return this.#needs ?? none;
  }
}

const none: readonly SaveFrame[] = [];
const frames = new AsyncLocalStorage<readonly SaveFrame[]>();
/** The number of calls of sources under way. */
let running = 0;

/**
 * Runs a call of a source. The saves that it makes are those of the given ones.
 *
 * While a context is in use, Node 20 makes every `await` of the process about twice as slow. So the
 * context is released when idle.
 */
export async function inSaves(saves: readonly SaveFrame[], call: () => unknown): Promise<unknown> {
  if (saves.length === 0) return await call();
  running += 1;
  try {
    return await frames.run(saves, call);
  } finally {
    running -= 1;
    if (running === 0) frames.disable();
  }
}

/** Returns the saves from `start` to a wanted one, each waiting for the next. */
function wayTo(start: SaveFrame, wanted: readonly SaveFrame[]): SaveFrame[] | undefined {
  const from = new Map<SaveFrame, SaveFrame | undefined>([[start, undefined]]);
  // A map yields what was added during the loop, too.
  for (const save of from.keys()) {
    if (wanted.includes(save)) {
      const way: SaveFrame[] = [];
      for (let at: SaveFrame | undefined = save; at !== undefined; at = from.get(at)) way.unshift(at);
      return way;
    }
    for (const next of save.needs) if (!from.has(next)) from.set(next, save);
  }
  return undefined;
}

function cycle(way: readonly SaveFrame[]): SaveError {
  const labels = way.map(({ label }) => label);
  const circle = [labels.at(-1), ...labels].join(" → ");
  return new SaveError(
    "CACHEME_SAVE_CYCLE",
    `The save of ${labels.at(-1)} waits for itself: ${circle}. Its source saves the same key again. Write the value ` +
      "in the source directly, or save the other node after this save.",
  );
}
