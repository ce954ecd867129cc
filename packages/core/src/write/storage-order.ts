import type { NodeKind } from "../runtime/node-kind.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";

/**
 * Returns the storages in an order in which each class's storages come from right to left, so that
 * none is filled from one that still has the old value. Classes of contrary orders make some
 * storages occur twice.
 */
export function rightToLeft(storages: readonly RemoteBatch[], kinds: Iterable<NodeKind>): RemoteBatch[] {
  const order: RemoteBatch[] = [];
  const lists = Array.from(kinds, ({ remoteTiers }) =>
    remoteTiers
      .map(({ storage }) => storage)
      .filter((storage) => storages.includes(storage))
      .toReversed(),
  );
  lists.sort((one, other) => other.length - one.length);
  for (const list of [...lists, ...storages.map((storage) => [storage])]) {
    if (!isWithin(list, order)) order.push(...list);
  }
  return order;
}

/** Returns whether the list occurs in the other one, in its order. */
function isWithin<T>(list: readonly T[], other: readonly T[]): boolean {
  let place = 0;
  for (const each of other) if (each === list[place]) place += 1;
  return place === list.length;
}
