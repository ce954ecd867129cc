/** A list that does not keep its objects alive. It drops dead ones as it grows. */
export class WeakList<T extends object> {
  #references: WeakRef<T>[] = [];
  #sweepAt = 64;

  add(object: T): void {
    if (this.#references.length >= this.#sweepAt) {
      this.#references = this.#references.filter((reference) => reference.deref() !== undefined);
      this.#sweepAt = Math.max(64, this.#references.length * 2);
    }
    this.#references.push(new WeakRef(object));
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const reference of this.#references) {
      const object = reference.deref();
      if (object !== undefined) yield object;
    }
  }
}
