import type { OperationTags } from "../tags/operation-tags.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";

/**
 * Reads the generations of a value's tags again, beside the requests that store the value. A
 * changed one means that the tag was invalidated while the value was loaded.
 */
export class Recheck {
  readonly #tags: OperationTags;
  readonly #asked = new Set<RemoteBatch>();
  #waiting = 0;
  #hasChanged = false;
  #ended: ((hasChanged: boolean) => void) | undefined;

  constructor(tags: OperationTags) {
    this.#tags = tags;
  }

  /** Reads the storage's generations, once. Skips a storage that has not told them before the load. */
  start(storage: RemoteBatch): void {
    const [first] = this.#tags.all;
    if (first === undefined || this.#asked.has(storage) || this.#tags.in(storage) === undefined) return;
    this.#asked.add(storage);
    this.#waiting += 1;
    storage.read({
      storageKey: first.key,
      tags: this.#tags.all,
      arrived: (_, trouble) => {
        this.#waiting -= 1;
        if (trouble !== undefined || this.#tags.hasChangedIn(storage)) this.#hasChanged = true;
        this.#settle();
      },
    });
  }

  /**
   * Calls back when each storage has answered.
   *
   * @param ended gets whether a generation has changed, or is not known from before the load
   */
  end(storages: readonly RemoteBatch[], ended: (hasChanged: boolean) => void): void {
    for (const storage of storages) {
      if (this.#tags.isLateIn(storage)) this.#hasChanged = true;
      else this.start(storage);
    }
    this.#ended = ended;
    this.#settle();
  }

  #settle(): void {
    if (this.#waiting === 0) this.#ended?.(this.#hasChanged);
  }
}
