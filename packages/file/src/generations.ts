import * as kit from "cacheme/driver";
import { after, never, now } from "./clock.js";
import type { Entries } from "./entries.js";
import { encode, type Kept } from "./record.js";
import { destroy, isRunning, newTicket, place, redeem, ticketsOf } from "./tickets.js";
import { isFull } from "./trouble.js";

/** Milliseconds for which a change of a generation may hold its key. A slower change finds its ticket gone, and starts again. */
const lockTime = 250;

/** The entry of a key, even if it has expired. */
interface Found {
  readonly generation: kit.Generation | undefined;
  readonly expires: number;
}

/**
 * A generation is an ordinary entry. The process that holds the ticket of its key (`tickets.ts`)
 * changes it, and a change that was overtaken is made again.
 */
export class FileGenerations {
  readonly #entries: Entries;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  async ensure(
    tag: kit.NewGeneration,
    ttl: number | undefined,
    call: kit.StorageCall,
  ): Promise<kit.Generation> {
    const { key } = tag;
    const found = await this.#find(key);
    // Nearly always: nothing is written.
    if (found.generation !== undefined && found.expires > now() && found.expires >= after(ttl)) {
      return found.generation;
    }
    return this.#change(key, call, (before) => {
      const isThere = before.generation !== undefined && before.expires > now();
      const generation = isThere ? before.generation : following(tag.id, before.generation);
      return { generation, expires: Math.max(isThere ? before.expires : 0, withSpare(ttl)) };
    });
  }

  async bump(
    { key, id }: kit.NewGeneration,
    ttl: number | undefined,
    call: kit.StorageCall,
  ): Promise<kit.Generation> {
    try {
      return await this.#change(key, call, (before) => ({
        generation: following(id, before.generation),
        expires: after(ttl),
      }));
    } catch (error) {
      if (!isFull(error)) throw error;
      return this.#lose({ key, id }, call, error);
    }
  }

  /**
   * Removes the generation if the disk is full. A change that holds the key meanwhile may write the old
   * one again, so the removal is repeated until it finds neither.
   */
  async #lose(
    { key, id }: kit.NewGeneration,
    call: kit.StorageCall,
    error: unknown,
  ): Promise<kit.Generation> {
    const { folder } = this.#entries;
    const hash = folder.hash(key);
    let lost: kit.Generation | undefined;
    while (!call.isLate) {
      const tickets = await ticketsOf(folder, hash);
      await destroy(folder, hash, tickets);
      const { generation } = await this.#find(key);
      await this.#entries.remove(key);
      if (tickets.length === 0 && generation === undefined) return following(id, lost);
      lost ??= generation;
    }
    throw error;
  }

  async #change(
    key: string,
    call: kit.StorageCall,
    next: (before: Found) => { readonly generation: kit.Generation; readonly expires: number },
  ): Promise<kit.Generation> {
    const { folder } = this.#entries;
    const hash = folder.hash(key);
    while (!call.isLate) {
      const tickets = await ticketsOf(folder, hash);
      const isLocked = tickets.some((ticket) => ticket.kind === "lock" && isRunning(ticket));
      if (!isLocked) {
        await destroy(folder, hash, tickets);
        const lock = newTicket("lock", lockTime, now());
        if (await place(folder, hash, lock, [])) {
          const { generation, expires } = next(await this.#find(key));
          const kept: Kept = { expires, fresh: expires, bytes: Buffer.from(kit.generationText(generation)) };
          if (await redeem(folder, hash, lock, encode(key, kept))) return generation;
          continue;
        }
      }
      // About as long as a change takes; at random, so that those who wait do not come at one moment.
      await kit.pause(1 + Math.random() * 3);
    }
    throw new Error("the time for it was over");
  }

  async #find(key: string): Promise<Found> {
    const kept = await this.#entries.find(key);
    return { generation: kit.generationFrom(kept?.bytes), expires: kept?.expires ?? 0 };
  }
}

/** A quarter more than was asked for, so that not every `ensure` has something to write. */
function withSpare(ttl: number | undefined): number {
  return ttl === undefined ? never : after(ttl + Math.floor(ttl / 4));
}

/** The machine's clock may be set back; the times of generations are not. */
function following(id: string, before: kit.Generation | undefined): kit.Generation {
  return { id, at: Math.max(now(), before?.at ?? 0) };
}
