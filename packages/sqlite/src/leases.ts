import {
  type Acquisition,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseExtension,
  refusedLease,
} from "cacheme/driver";
import type { Slice } from "./client.js";
import { after, bytesOf, store } from "./record.js";

/*
 * A lease is a row of a table of its own: the key, the token, and when it ends. Each batch is one transaction that nobody
 * else writes in, so what is read in it still holds when it is written.
 */

/** Takes the lease of a key if it can be had. */
export function acquire(slice: Slice, request: Acquisition): LeaseAnswer {
  const { commands, now } = slice;
  const { key, duration, steal, token } = request;
  const until = after(slice, duration);
  if (steal) {
    commands.steal.run(key, token, until);
  } else {
    const refusal = refusedLease(request, bytesOf(commands.readFresh.value(key, now, now)));
    if (refusal.outcome === "fresh" || commands.lease.run(key, token, until, now) === 0) return refusal;
  }
  return { outcome: "granted", token, at: now };
}

/** Stores a record if its lease has the token. */
export function fill(slice: Slice, record: LeasedRecord): boolean {
  if (!release(slice, record)) return false;
  store(slice, record);
  return true;
}

/** Ends a lease that has the token. */
export function release({ commands }: Slice, { key, token }: HeldLease): boolean {
  return commands.useUp.run(key, token) === 1;
}

/** Moves the end of a lease that has the token. */
export function extend(slice: Slice, { key, token, duration }: LeaseExtension): boolean {
  return slice.commands.extend.run(after(slice, duration), key, token) === 1;
}
