import type { SnapshotOwner } from "../../storage/local-snapshot.js";

/** The classes whose entries the cache holds, by the number of their space. */
export class Owners {
  readonly #bySpace = new Map<number, { readonly id: string; owner: SnapshotOwner | undefined }>();
  /** The spaces of restored entries whose class was not used yet, by the class's id. */
  readonly waiting: Map<string, number> = new Map();

  /** Draws the space of restored entries. */
  reserve(id: string, space: number): void {
    this.waiting.set(id, space);
    this.#bySpace.set(space, { id, owner: undefined });
  }

  adopt(owner: SnapshotOwner, next: () => number): number {
    const { id } = owner;
    const space = this.waiting.get(id) ?? next();
    this.waiting.delete(id);
    // The newest class of a name has the entries: it has replaced the older one.
    for (const [other, { id: its }] of this.#bySpace) if (its === id) this.#bySpace.delete(other);
    this.#bySpace.set(space, { id, owner });
    return space;
  }

  of(space: number): SnapshotOwner | undefined {
    return this.#bySpace.get(space)?.owner;
  }

  /** Returns the id of the class, also if it was not used yet; `undefined` for a space without one. */
  idOf(space: number): string | undefined {
    return this.#bySpace.get(space)?.id;
  }
}
