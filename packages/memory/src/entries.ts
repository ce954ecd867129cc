import type { Store } from "./store.js";

/** The entries of a space that have not expired when the iteration begins, each once: no entry moves meanwhile. */
export function* entriesOf<K, V>(store: Store<K, V>, space: number): IterableIterator<[K, V]> {
  const { expiry } = store;
  const { readers } = store.room;
  const now = expiry.deadlines === null ? 0 : expiry.clock.now();
  const reader = readers.begin();
  try {
    for (let slot = 0; slot < store.unused; slot++) {
      if (!store.isHeld(slot) || store.spaceOf(slot) !== space || expiry.isOver(slot, now)) continue;
      yield [store.keyAt(slot), store.valueAt(slot)];
    }
  } finally {
    readers.end(reader);
  }
}
