import { KeyActivity } from "./key-activity.js";
import type { NodeKind } from "./node-kind.js";

/** What is under way for one kind, by key. Bounded by what is under way. */
export class Activities {
  readonly #kind: NodeKind;
  #byKey = new Map<string, KeyActivity>();
  /** Whether the space is being closed. */
  isClosed = false;

  constructor(kind: NodeKind) {
    this.#kind = kind;
  }

  /** How many keys have something under way. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The key's activity; a new one if nothing is under way for it. */
  of(key: string): KeyActivity {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const activity = new KeyActivity(this.#kind, key);
    this.#byKey.set(key, activity);
    return activity;
  }

  /** The key's activity, if something is under way for it. */
  find(key: string): KeyActivity | undefined {
    return this.#byKey.get(key);
  }

  remove(activity: KeyActivity): void {
    if (this.#byKey.get(activity.key) !== activity) return;
    // A map that is emptied key by key keeps its size.
    if (this.#byKey.size === 1) this.#byKey = new Map();
    else this.#byKey.delete(activity.key);
  }

  /** Fences every operation of every key that was born before. */
  fenceOlderThan(birth: number): void {
    for (const { operations } of [...this.#byKey.values()]) operations.fenceOlderThan(birth);
  }

  /** The local tiers are cleared: they take nothing of what is under way. */
  clear(): void {
    for (const { operations } of [...this.#byKey.values()]) operations.clear();
  }

  /** Distrusts the tiers for each key that is being written or removed, until a write or a removal has succeeded. */
  distrustMutating(now: number): void {
    for (const activity of this.#byKey.values()) {
      if (!activity.isMutating) continue;
      for (const tier of this.#kind.remoteTiers) activity.distrust(tier, now);
    }
  }

  /** Lets no load store its value any more, and settles when the writes and removals that were asked for have been answered. */
  async finish(): Promise<void> {
    this.isClosed = true;
    await Promise.all(Array.from(this.#byKey.values(), (activity) => activity.mutated()));
  }
}
