import type { BoundClass, BoundClasses, BoundEntry } from "../bus/bound-class.js";
import { escapedPrefix, isShortened } from "../node/key.js";
import type { ClassRuntimes } from "./class-runtimes.js";

/** The classes of one `Cacheme` whose local entries the bus keeps up to date in other processes. */
export class BusBoundClasses implements BoundClasses {
  readonly #runtimes: ClassRuntimes;

  constructor(runtimes: ClassRuntimes) {
    this.#runtimes = runtimes;
  }

  get busPrefix(): string {
    return escapedPrefix(this.#runtimes.prefix);
  }

  boundClass(busId: string): BoundClass | undefined {
    const kind = this.#runtimes.kindNamed(busId.slice(0, busId.lastIndexOf(":")));
    return kind?.busId === busId && kind.isBusBound ? kind : undefined;
  }

  /** A storage key is `prefix:name:key:version`; prefix, name and version have no colon. */
  boundEntry(storageKey: string): BoundEntry | undefined {
    const prefix = `${this.busPrefix}:`;
    const nameEnd = storageKey.indexOf(":", prefix.length);
    const keyEnd = storageKey.lastIndexOf(":");
    if (!storageKey.startsWith(prefix) || keyEnd <= nameEnd) return undefined;
    const bound = this.boundClass(storageKey.slice(prefix.length, nameEnd) + storageKey.slice(keyEnd));
    const key = storageKey.slice(nameEnd + 1, keyEnd);
    return bound && { bound, key: isShortened(key) ? undefined : key };
  }

  *boundClasses(): IterableIterator<BoundClass> {
    for (const kind of this.#runtimes) if (kind.isBusBound) yield kind;
  }
}
