import type { Store } from "./store.js";

/** The entries of a space, each once, since no entry moves meanwhile; none that has expired when it would be given. */
export function* entriesOf<K, V>(store: Store<K, V>, space: number): IterableIterator<[K, V]> {
  const { expiry, room } = store;
  const reader = room.readers.begin();
  try {
    let now: number | undefined;
    for (let slot = 0; slot < store.unused; slot++) {
      if (!store.isHeld(slot) || store.spaceOf(slot) !== space) continue;
      if (expiry.ends(slot)) {
        now ??= expiry.clock.now();
        if (expiry.isOver(slot, now)) continue;
      }
      yield [store.keyAt(slot), store.valueAt(slot)];
      now = undefined;
    }
  } finally {
    room.readers.end(reader);
    if (room.isShrinking) store.tidy();
  }
}
