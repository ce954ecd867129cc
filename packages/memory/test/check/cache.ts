import { type BoundedCache, storeOf } from "../../src/cache/bounded-cache.js";
import type { Store } from "../../src/cache/store.js";
import type { KeyIndex } from "../../src/table/key-index.js";
import { check } from "./check.js";
import { checkPolicy } from "./policy.js";
import { checkWheel } from "./wheel.js";

/** Walks the whole structure of a cache and throws at the first fault. */
export function checkCache<K, V>(cache: BoundedCache<K, V>): void {
  const store = storeOf(cache);
  const held = heldSlots(store);
  check(held.size === store.size, () => `${held.size} slots are held, but the size is ${store.size}`);
  checkFreeSlots(store, held);
  checkLookUp(store, held);
  checkWeights(store, held);
  checkIndex(store, indexed(store, held), store.hashes);
  checkWheel(store.expiry, held);
  checkPolicy(store.policy, held);
}

function heldSlots<K, V>(slots: Store<K, V>): Set<number> {
  const held = new Set<number>();
  for (let slot = 0; slot < slots.unused; slot++) if (slots.isHeld(slot)) held.add(slot);
  return held;
}

function checkFreeSlots<K, V>(slots: Store<K, V>, held: ReadonlySet<number>): void {
  check(
    slots.unused <= slots.slotCount,
    () => `slot ${slots.unused} is beyond the capacity ${slots.slotCount}`,
  );
  let free = 0;
  for (let slot = slots.free; slot >= 0; slot = slots.hashes[slot]!) {
    check(!held.has(slot), () => `slot ${slot} is held and free`);
    check(++free <= slots.unused, () => "the free slots form a circle");
  }
  check(free + held.size === slots.unused, () => `${slots.unused - held.size - free} slots are lost`);
}

function checkLookUp<K, V>(store: Store<K, V>, held: ReadonlySet<number>): void {
  for (const slot of held) {
    const key = store.keyAt(slot);
    const space = store.spaceOf(slot);
    const found = store.find(space, key);
    check(found === slot, () => `key ${String(key)} in slot ${slot} is found in ${found}`);
    check(store.hashOf(space, key) === store.hashes[slot], () => `slot ${slot} has another key's hash`);
  }
}

function checkWeights<K, V>(store: Store<K, V>, held: ReadonlySet<number>): void {
  let weight = 0;
  for (const slot of held) weight += store.weightOf(slot);
  check(weight === store.weight, () => `the weights' sum is ${weight}, not ${store.weight}`);
}

function indexed<K, V>(store: Store<K, V>, held: ReadonlySet<number>): Set<number> {
  const otherKeys = new Set(store.otherKeys.values());
  for (const slot of otherKeys)
    check(held.has(slot), () => `the Map of other keys names slot ${slot}, which is not held`);
  return new Set([...held].filter((slot) => !otherKeys.has(slot)));
}

/**
 * Checks that every slot is in one table, once. Probing from the position of its hash must meet no
 * free position before it.
 */
export function checkIndex<K, V>(
  index: KeyIndex<K, V>,
  slots: ReadonlySet<number>,
  hashes: Int32Array,
): void {
  check(index.indexed === slots.size, () => `the index counts ${index.indexed} of ${slots.size} slots`);
  const seen = new Set<number>();
  const tables = index.old === null ? [index.table] : [index.table, index.old];
  for (const table of tables) {
    const mask = table.length - 1;
    table.forEach((entry, at) => {
      if (entry === 0) return;
      const slot = (entry & 0x1ffffff) - 1;
      check(slots.has(slot), () => `the index names slot ${slot}, which is not held`);
      check(!seen.has(slot), () => `the index names slot ${slot} twice`);
      seen.add(slot);
      const hash = hashes[slot]!;
      check((entry ^ hash) >>> 25 === 0, () => `slot ${slot} has another hash's tag`);
      for (let probe = hash & mask; probe !== at; probe = (probe + 1) & mask) {
        check(table[probe] !== 0, () => `slot ${slot} cannot be reached`);
      }
    });
  }
  check(seen.size === slots.size, () => `the index misses ${slots.size - seen.size} slots`);
}
