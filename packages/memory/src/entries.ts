import type { Store } from "./store.js";

/** The entries of a space that have not expired when the iteration begins, each once: no entry moves meanwhile. */
export function* entriesOf<K, V>(store: Store<K, V>, space: number): IterableIterator<[K, V]> {
  const { slots, expiry, room } = store;
  const now = expiry.deadlines === null ? 0 : expiry.clock.now();
  room.readers++;
  try {
    for (let slot = 0; slot < slots.unused; slot++) {
      if (!slots.isHeld(slot) || slots.spaceOf(slot) !== space || expiry.isOver(slot, now)) continue;
      yield [slots.keyAt(slot), slots.valueAt(slot)];
    }
  } finally {
    room.readers--;
  }
}
