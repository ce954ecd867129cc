import {
  checkKeysOf,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseRequest,
  type Leases,
  type StorageCall,
  type StorageCalls,
} from "cacheme/driver";
import { after, now } from "./clock.js";
import { forEach } from "./disk.js";
import type { Entries } from "./entries.js";
import { encode } from "./record.js";
import { destroy, isRunning, newTicket, place, redeem, ticketFrom, ticketsOf } from "./tickets.js";

const noBytes = new Uint8Array();

/** A lease is a ticket: see `tickets.ts`. */
export class FileLeases implements Leases {
  readonly #label: string;
  readonly #calls: StorageCalls;
  readonly #entries: Entries;

  constructor(label: string, calls: StorageCalls, entries: Entries) {
    this.#label = label;
    this.#calls = calls;
    this.#entries = entries;
  }

  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    return this.#batch("an acquire", requests, (request, call) => this.#acquire(request, call));
  }

  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    return this.#batch("a fill", records, (record) => this.#fill(record));
  }

  async release(leases: readonly HeldLease[]): Promise<void> {
    const { folder } = this.#entries;
    await this.#batch("a release", leases, async ({ key, token }) => {
      const ticket = leaseFrom(token);
      return ticket !== undefined && destroy(folder, folder.hash(key), [ticket]);
    });
  }

  async #acquire({ key, duration, steal = false }: LeaseRequest, call: StorageCall): Promise<LeaseAnswer> {
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

  async #fresh(key: string): Promise<LeaseAnswer | undefined> {
    const kept = await this.#entries.read(key);
    return kept !== undefined && kept.fresh > now() ? { outcome: "fresh", bytes: kept.bytes } : undefined;
  }

  async #fill({ key, token, bytes, ttl, freshFor }: LeasedRecord): Promise<boolean> {
    const ticket = leaseFrom(token);
    if (ticket === undefined) return false;
    const { folder } = this.#entries;
    const expires = after(ttl);
    const content = encode(key, {
      expires,
      fresh: freshFor === undefined ? expires : after(freshFor),
      bytes,
    });
    const stored = await redeem(folder, folder.hash(key), ticket.name, content);
    if (stored) await this.#entries.wrote(content);
    return stored;
  }

  async #batch<Asked extends { readonly key: string }, Answer>(
    action: string,
    asked: readonly Asked[],
    answerTo: (one: Asked, call: StorageCall) => Promise<Answer>,
  ): Promise<Answer[]> {
    checkKeysOf(asked, this.#label);
    const answers: Answer[] = [];
    if (asked.length === 0) return answers;
    await this.#calls.run(action, (call) =>
      forEach(
        asked,
        () => call.isLate,
        async (one, index) => {
          answers[index] = await answerTo(one, call);
        },
      ),
    );
    return answers;
  }
}

/** A token becomes part of a path: nothing but a ticket's name may. */
function leaseFrom(token: string) {
  const ticket = ticketFrom(String(token));
  return ticket?.kind === "lease" ? ticket : undefined;
}
