import type * as kit from "cacheme/driver";
import { now } from "./clock.js";
import type { Entries } from "./entries.js";
import type { Folder } from "./folder.js";
import { encode, keptOf } from "./record.js";
import {
  destroy,
  isRunning,
  newTicket,
  place,
  redeem,
  type Ticket,
  ticketFrom,
  ticketsOf,
} from "./tickets.js";

const noBytes = new Uint8Array();

/* A lease is a ticket: see `tickets.ts`. */

export async function acquire(
  entries: Entries,
  { key, duration, steal, seen }: kit.Acquisition,
  call: kit.StorageCall,
): Promise<kit.LeaseAnswer> {
  const { folder } = entries;
  const hash = folder.hash(key);
  const fresh = steal ? undefined : await freshOf(entries, key, seen);
  if (fresh !== undefined) return fresh;
  while (!call.isLate) {
    const tickets = await ticketsOf(folder, hash);
    if (!steal && tickets.some((ticket) => isRunning(ticket))) return { outcome: "held" };
    await destroy(folder, hash, tickets);
    const at = now();
    const ticket = newTicket("lease", duration, at);
    const content = encode(key, { expires: ticket.until, fresh: 0, bytes: noBytes });
    if (await place(folder, hash, ticket, content)) {
      // Between the first look and the ticket somebody may have filled. From now on nobody can.
      const arrived = steal ? undefined : await freshOf(entries, key, seen);
      if (arrived !== undefined) await destroy(folder, hash, [ticket]);
      return arrived ?? { outcome: "granted", token: ticket.name, at };
    }
    if (!steal) return { outcome: "held" };
  }
  return { outcome: "held" };
}

export async function fill(entries: Entries, record: kit.LeasedRecord): Promise<boolean> {
  const content = encode(record.key, keptOf(record));
  const stored = await withTicket(entries, record, (...lease) => redeem(...lease, content));
  if (stored) await entries.wrote(content);
  return stored;
}

/** Does something with the ticket of a lease, and answers whether it was still good. */
export async function withTicket(
  { folder }: Entries,
  { key, token }: kit.HeldLease,
  act: (folder: Folder, hash: string, ticket: Ticket) => Promise<boolean>,
): Promise<boolean> {
  const ticket = leaseFrom(token);
  return ticket !== undefined && act(folder, folder.hash(key), ticket);
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
