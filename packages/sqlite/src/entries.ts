import type { StoredRecord } from "cacheme/driver";
import type { Slice } from "./client.js";
import { never } from "./commands.js";

/** Stores a record and destroys the lease of its key. */
export function store(slice: Slice, { key, bytes, ttl, freshFor }: StoredRecord): void {
  const expires = after(slice, ttl);
  slice.commands.write.run(key, bytes, expires, freshFor === undefined ? expires : after(slice, freshFor));
  endLease(slice, key);
}

/** Most of the time there is no lease at all, which costs one look a transaction instead of one a key. */
export function endLease(slice: Slice, key: string): void {
  slice.hasLeases ??= slice.commands.hasLeases.value() === 1;
  if (slice.hasLeases) slice.commands.endLease.run(key);
}

/** Whole milliseconds from 1. A part is left off: a record must not outlive the tier that it came from. */
export function after({ now }: Slice, milliseconds: number | undefined): number {
  if (milliseconds === undefined) return never;
  return Math.min(now + Math.max(1, Math.floor(milliseconds)), never);
}
