import type { Acquisition, HeldLease, LeaseAnswer, LeasedRecord, StorageCall } from "cacheme/driver";
import { now } from "./clock.js";
import type { Entries } from "./entries.js";
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

/** A lease is a ticket: see `tickets.ts`. */
export class FileLeases {
  readonly #entries: Entries;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  async acquire({ key, duration, steal }: Acquisition, call: StorageCall): Promise<LeaseAnswer> {
    const { folder } = this.#entries;
    const hash = folder.hash(key);
    const fresh = steal ? undefined : await this.#fresh(key);
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
        const arrived = steal ? undefined : await this.#fresh(key);
        if (arrived !== undefined) await destroy(folder, hash, [ticket]);
        return arrived ?? { outcome: "granted", token: ticket.name, at };
      }
      if (!steal) return { outcome: "held" };
    }
    return { outcome: "held" };
  }

  async fill(record: LeasedRecord): Promise<boolean> {
    const { folder } = this.#entries;
    const content = encode(record.key, keptOf(record));
    const stored = await redeem(folder, folder.hash(record.key), record.token, content);
    if (stored) await this.#entries.wrote(content);
    return stored;
  }

  async release({ key, token }: HeldLease): Promise<void> {
    const { folder } = this.#entries;
    await destroy(folder, folder.hash(key), [{ name: token }]);
  }

  async #fresh(key: string): Promise<LeaseAnswer | undefined> {
    const kept = await this.#entries.read(key);
    return kept !== undefined && kept.fresh > now() ? { outcome: "fresh", bytes: kept.bytes } : undefined;
  }
}

/** The ticket of a token. A token becomes part of a path: nothing but a ticket's name may. */
export function leaseFrom(token: string): Ticket | undefined {
  const ticket = ticketFrom(String(token));
  return ticket?.kind === "lease" ? ticket : undefined;
}
