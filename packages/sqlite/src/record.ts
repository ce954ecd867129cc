import { types } from "node:util";
import type { StoredRecord, StoredTouch } from "cacheme/driver";
import type { Slice } from "./client.js";
import { never } from "./commands.js";

/** Stores a record and destroys the lease of its key. */
export function store(slice: Slice, { key, bytes, ttl, freshFor }: StoredRecord): void {
  const expires = after(slice, ttl);
  const fresh = freshFor === undefined ? expires : after(slice, freshFor);
  slice.commands.write.run(key, bytes, expires, fresh, slice.now);
  endLease(slice, key);
}

/** Removes a record and the lease of its key. Returns whether there was a record that had not expired. */
export function remove(slice: Slice, key: string): boolean {
  const wasThere = slice.commands.remove.value(key, slice.now) === 1;
  endLease(slice, key);
  return wasThere;
}

/** Keeps a record for longer. Returns whether there is one. */
export function touch(slice: Slice, { key, ttl }: StoredTouch): boolean {
  const expires = after(slice, ttl);
  return slice.commands.touch.run(expires, expires, key, slice.now) === 1;
}

/** Ends a lease. Most of the time there is none, so it looks once a transaction instead of once a key. */
function endLease(slice: Slice, key: string): void {
  slice.hasLeases ??= slice.commands.hasLeases.value() === 1;
  if (slice.hasLeases) slice.commands.endLease.run(key);
}

/** Returns the time in so many whole milliseconds. */
export function after({ now }: Slice, milliseconds: number | undefined): number {
  return milliseconds === undefined ? never : now + milliseconds;
}

export function bytesOf(value: unknown): Uint8Array | undefined {
  return types.isUint8Array(value) ? value : undefined;
}
