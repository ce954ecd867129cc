import type * as kit from "cacheme/driver";
import { now } from "./clock.js";
import type { Entries } from "./entries.js";
import { encode, keptOf } from "./record.js";
import { isRunning, newTicket, type Ticket, ticketFrom } from "./tickets.js";

const noBytes = new Uint8Array();

/* A lease is a ticket: see `tickets.ts`. */

export async function acquire(
  entries: Entries,
  { key, duration, steal, seen }: kit.Acquisition,
  call: kit.StorageCall,
): Promise<kit.LeaseAnswer> {
  const fresh = steal ? undefined : await freshOf(entries, key, seen);
  if (fresh !== undefined) return fresh;
  const tickets = entries.tickets(key);
  while (!call.isLate) {
    const old = await tickets.list();
    if (!steal && old.some((ticket) => isRunning(ticket))) return { outcome: "held" };
    await tickets.destroy(old);
    const at = now();
    const ticket = newTicket("lease", duration, at);
    const content = encode(key, { expires: ticket.until, fresh: 0, bytes: noBytes });
    if (await tickets.place(ticket, content)) {
      // Between the first look and the ticket somebody may have filled. From now on nobody can.
      const arrived = steal ? undefined : await freshOf(entries, key, seen);
      if (arrived !== undefined) await tickets.destroy([ticket]);
      return arrived ?? { outcome: "granted", token: ticket.name, at };
    }
    if (!steal) return { outcome: "held" };
  }
  return { outcome: "held" };
}

export async function fill(entries: Entries, record: kit.LeasedRecord): Promise<boolean> {
  const ticket = leaseFrom(record.token);
  const content = encode(record.key, keptOf(record));
  const stored = ticket !== undefined && (await entries.tickets(record.key).redeem(ticket, content));
  if (stored) await entries.wrote(content);
  return stored;
}

export async function release(entries: Entries, { key, token }: kit.HeldLease): Promise<boolean> {
  const ticket = leaseFrom(token);
  return ticket !== undefined && entries.tickets(key).destroy([ticket]);
}

export async function extend(entries: Entries, lease: kit.LeaseExtension): Promise<boolean> {
  const ticket = leaseFrom(lease.token);
  return ticket !== undefined && entries.tickets(lease.key).extend(ticket, lease.duration);
}

/** Reads the bytes of a key if they are fresh, and not those that the caller has seen. */
async function freshOf(
  entries: Entries,
  key: string,
  seen: Uint8Array | undefined,
): Promise<kit.LeaseAnswer | undefined> {
  const kept = await entries.read(key);
  if (kept === undefined || kept.fresh <= now()) return undefined;
  return seen && Buffer.from(kept.bytes).equals(seen) ? undefined : { outcome: "fresh", bytes: kept.bytes };
}

/** The ticket of a token. A token becomes part of a path: nothing but a ticket's name may. */
export function leaseFrom(token: string): Ticket | undefined {
  const ticket = ticketFrom(String(token));
  return ticket?.kind === "lease" ? ticket : undefined;
}
