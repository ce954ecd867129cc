import { type Acquisition, elapsed } from "cacheme/driver";
import type { Batch } from "./commands.js";
import { leaseSeconds } from "./exptime.js";
import { type Item, itemData, leaseFields, never } from "./record.js";

/** An item, and the lease to write into it. */
export interface Marking {
  readonly name: string;
  readonly item: Item;
  readonly request: Pick<Acquisition, "key" | "duration">;
}

/** Returns how a lease is written: without bytes, behind them, or with them in an item that lives longer. */
export function kindOf({ item, request }: Marking): "alone" | "anew" | "behind" {
  if (item.bytes === undefined) return "alone";
  return item.left >= leaseSeconds(request.duration) ? "behind" : "anew";
}

/** @param extended the CAS number in the token of a lease that is extended. It takes no more room each time */
export function mark(batch: Batch, one: Marking, extended = ""): void {
  const { item, name, request } = one;
  const { bytes, cas, left, staleAt, goneAt } = item;
  const seconds = leaseSeconds(request.duration);
  const write = (end: number, value: Uint8Array, times: Parameters<typeof itemData>[3]): void => {
    const { flags, pieces } = itemData(name, request.key, value, times, leaseFields(end - seconds, extended));
    batch.store(name, `T${end} F${flags} C${cas} c`, pieces);
  };
  if (bytes === undefined) {
    if (extended === "") batch.store(name, `T${seconds} F0 C${cas} c`, []);
    else write(seconds, noBytes, { goneAt: never });
  } else if (extended === "" && kindOf(one) === "behind") {
    batch.store(name, `MA C${cas} c`, leaseFields(left - seconds));
  } else {
    // The item's end moves, and the times that are counted from it move with it. One second more
    // for a tick between.
    const end = Math.max(seconds, left);
    const later = end - left + 1;
    write(end, bytes, { staleAt: staleAt > goneAt ? staleAt + later : 0, goneAt: goneAt + later });
  }
}

const noBytes = new Uint8Array();

/** Milliseconds in which the server's clock ticks once at most. */
const oneTick = 1000;

/** Whether that clock may have ticked more than once since the item was asked for. */
export function isSlow(asked: number): boolean {
  return elapsed() - asked > oneTick;
}
