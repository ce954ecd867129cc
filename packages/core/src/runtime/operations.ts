import type { Operation } from "./operation.js";

/** The running operations of one key, the latest first. */
export class Operations {
  #newest: Operation | undefined;
  /** The callbacks that wait until no younger operation is under way. */
  #afterYounger: { readonly birth: number; readonly done: () => void }[] | undefined;

  get isEmpty(): boolean {
    return this.#newest === undefined;
  }

  begin(operation: Operation): void {
    operation.older = this.#newest;
    this.#newest = operation;
  }

  end(operation: Operation): void {
    this.#remove(operation);
    if (this.#afterYounger === undefined) return;
    const due = this.#afterYounger.filter(({ birth }) => !this.hasYoungerThan(birth));
    if (due.length === 0) return;
    this.#afterYounger = this.#afterYounger.filter((waiting) => !due.includes(waiting));
    for (const { done } of due) done();
  }

  /** Calls back when no operation that was born later is under way any more. */
  afterYounger(birth: number, done: () => void): void {
    this.#afterYounger ??= [];
    this.#afterYounger.push({ birth, done });
  }

  #remove(operation: Operation): void {
    if (this.#newest === operation) {
      this.#newest = operation.older;
      return;
    }
    for (let newer = this.#newest; newer !== undefined; newer = newer.older) {
      if (newer.older !== operation) continue;
      newer.older = operation.older;
      return;
    }
  }

  /** Returns whether an operation that was born later is still under way. */
  hasYoungerThan(birth: number): boolean {
    for (let running = this.#newest; running !== undefined; running = running.older) {
      if (running.birth > birth) return true;
    }
    return false;
  }

  /** Returns whether each running operation is accepted. */
  every(accepts: (operation: Operation) => boolean): boolean {
    for (let running = this.#newest; running !== undefined; running = running.older) {
      if (!accepts(running)) return false;
    }
    return true;
  }

  /** Records that the local tiers are cleared. */
  clear(): void {
    for (let running = this.#newest; running !== undefined; running = running.older) running.clear();
  }

  /**
   * Lets an operation with a value overtake every operation that was born before it. An overtaken
   * operation still answers its readers, but neither stores its value nor removes an older one. So
   * the overtaking one inherits the duty to replace.
   */
  overtake(operation: Operation): void {
    const { birth } = operation;
    for (let running = this.#newest; running !== undefined; running = running.older) {
      if (running.birth >= birth) continue;
      running.fence(birth);
      if (running.fenced && running.replaces) operation.mustReplace = true;
    }
  }

  /** Does the same if news may have been missed. */
  missOlderThan(birth: number): void {
    for (let running = this.#newest; running !== undefined; running = running.older) {
      if (running.birth < birth) running.miss(birth);
    }
  }

  /** Fences every operation that was born before a removal, or that reads an older value. */
  fenceOlderThan(birth: number): void {
    for (let running = this.#newest; running !== undefined; running = running.older) {
      if (running.birth < birth) running.fence(birth);
    }
  }
}
