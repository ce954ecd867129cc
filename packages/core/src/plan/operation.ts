/** How many remote writes and removals have begun in this process. */
let mutationsBegun = 0;

/**
 * Something under way in this process that may still store a value under a key, or removes it: a flight, a `set`, a
 * removal. A removal or a newer write *fences* it: its readers are answered all the same, but no tier takes its value.
 */
export class Operation {
  /** Whether something newer has overtaken this. Never goes back to false. */
  fenced = false;
  /** The remote write or removal that this has on its way, if any. It never rejects. */
  mutation: Promise<unknown> | undefined;
  /** The mutation's place among all of them, in the order in which they began. */
  mutationOrder = 0;
  /** The next older operation of the same key. */
  older: Operation | undefined;
  /** While a removal is under way, what a remote tier still answers for the key may be the value being removed. */
  readonly distrusts: boolean;

  constructor(distrusts = false) {
    this.distrusts = distrusts;
  }

  /** Notes the remote write or removal, which waits for all those of the key that began before it. */
  mutates(mutation: Promise<unknown>): void {
    this.mutation = mutation;
    mutationsBegun += 1;
    this.mutationOrder = mutationsBegun;
  }
}

/**
 * The running operations of one node class, by key, the newest first. Bounded by what is under way: an operation leaves as
 * soon as it can store nothing any more.
 */
export class Operations {
  #newest = new Map<string, Operation>();

  /** How many keys have something under way. */
  get size(): number {
    return this.#newest.size;
  }

  newest(key: string): Operation | undefined {
    return this.#newest.get(key);
  }

  begin(key: string, operation: Operation): void {
    operation.older = this.#newest.get(key);
    this.#newest.set(key, operation);
  }

  end(key: string, operation: Operation): void {
    const newest = this.#newest.get(key);
    if (newest === operation) {
      if (operation.older !== undefined) this.#newest.set(key, operation.older);
      else if (this.#newest.size === 1) this.#newest = new Map();
      else this.#newest.delete(key);
      return;
    }
    for (let newer = newest; newer !== undefined; newer = newer.older) {
      if (newer.older === operation) {
        newer.older = operation.older;
        return;
      }
    }
  }

  /** Fences every running operation of the key, but for `except`. */
  fence(key: string, except?: Operation): void {
    for (let running = this.#newest.get(key); running !== undefined; running = running.older) {
      if (running !== except) running.fenced = true;
    }
  }

  /** Fences every running operation of every key. */
  fenceAll(): void {
    for (const key of this.#newest.keys()) this.fence(key);
  }

  /**
   * Fences what has not come to its write or removal yet, and settles when what has is done: a `set` that waits for its turn is
   * no less on its way than the write that it waits for.
   */
  async finish(): Promise<void> {
    const mutations: Promise<unknown>[] = [];
    for (const newest of this.#newest.values()) {
      for (let running: Operation | undefined = newest; running !== undefined; running = running.older) {
        if (running.mutation === undefined) running.fenced = true;
        else mutations.push(running.mutation);
      }
    }
    await Promise.all(mutations);
  }

  /** Whether a removal of the key is under way, so that remote tiers are not read for it. */
  distrusted(key: string): boolean {
    for (let running = this.#newest.get(key); running !== undefined; running = running.older) {
      if (running.distrusts) return true;
    }
    return false;
  }

  /**
   * Settles when the remote writes and removals that other operations of the key have on their way have; `undefined` where
   * there are none. Whoever changes a remote tier waits for this first: storages may carry out two requests in any order. So
   * each settles after those that began before it, and the last one to begin stands for all.
   */
  mutations(key: string, except: Operation): Promise<unknown> | undefined {
    let last: Operation | undefined;
    for (let running = this.#newest.get(key); running !== undefined; running = running.older) {
      if (running === except || running.mutation === undefined) continue;
      if (last === undefined || running.mutationOrder > last.mutationOrder) last = running;
    }
    return last?.mutation;
  }
}
