/**
 * Who iterates over the slots, between which no entry may move meanwhile. They are known weakly: an iteration that was left
 * without its `return` being called, as by calls of `next` alone, ends when its iterator is collected.
 */
export class Readers {
  private readonly refs: Set<WeakRef<object>> = new Set();

  /** An iteration begins. What is returned is to be held by it, and given to `end`. */
  begin(): object {
    const reader = {};
    this.refs.add(new WeakRef(reader));
    return reader;
  }

  end(reader: object): void {
    for (const ref of this.refs) if (ref.deref() === reader) this.refs.delete(ref);
  }

  /** Asked at every insertion, and short enough to be compiled into it. */
  get areReading(): boolean {
    return this.refs.size > 0 && this.isOneLeft();
  }

  private isOneLeft(): boolean {
    for (const ref of this.refs) {
      if (ref.deref() !== undefined) return true;
      this.refs.delete(ref);
    }
    return false;
  }
}
