import * as kit from "cacheme/driver";
import { after, now } from "./clock.js";
import type { Entries } from "./entries.js";
import { encode, type Kept } from "./record.js";
import { isRunning, newTicket } from "./tickets.js";
import { isFull } from "./trouble.js";

/** Milliseconds for which a change of a generation may hold its key. A slower change finds its ticket gone, and starts again. */
const lockTime = 250;

/** The entry of a key, even if it has expired. */
interface Found {
  readonly generation: kit.Generation | undefined;
  readonly expires: number;
}

type Make = (
  entries: Entries,
  tag: kit.NewGeneration,
  ttl: number | undefined,
  call: kit.StorageCall,
) => Promise<kit.Generation>;

/*
 * A generation is an ordinary entry. The process that holds the ticket of its key (`tickets.ts`)
 * changes it, and a change that was overtaken is made again.
 */

export const ensure: Make = async (entries, { key, id }, ttl, call) => {
  const found = await find(entries, key);
  // Nearly always: nothing is written.
  if (found.generation !== undefined && found.expires > now() && found.expires >= after(ttl)) {
    return found.generation;
  }
  return change(entries, key, call, (before) => {
    const isThere = before.generation !== undefined && before.expires > now();
    const generation = isThere ? before.generation : kit.nextGeneration(id, now(), before.generation);
    return { generation, expires: Math.max(isThere ? before.expires : 0, after(kit.lastingTtl(ttl))) };
  });
};

export const bump: Make = async (entries, { key, id }, ttl, call) => {
  try {
    return await change(entries, key, call, (before) => ({
      generation: kit.nextGeneration(id, now(), before.generation),
      expires: after(ttl),
    }));
  } catch (error) {
    const lost = isFull(error) ? await lose(entries, key, call) : undefined;
    if (lost === undefined) throw error;
    return kit.nextGeneration(id, now(), lost.generation);
  }
};

/**
 * Removes the generation if the disk is full. A change that holds the key meanwhile may write the old
 * one again, so the removal is repeated until it finds neither.
 */
async function lose(
  entries: Entries,
  key: string,
  call: kit.StorageCall,
): Promise<Pick<Found, "generation"> | undefined> {
  const locks = entries.tickets(key);
  let lost: kit.Generation | undefined;
  while (!call.isLate) {
    const tickets = await locks.list();
    await locks.destroy(tickets);
    const { generation } = await find(entries, key);
    await entries.remove(key);
    if (tickets.length === 0 && generation === undefined) return { generation: lost };
    lost ??= generation;
  }
  return undefined;
}

async function change(
  entries: Entries,
  key: string,
  call: kit.StorageCall,
  next: (before: Found) => { readonly generation: kit.Generation; readonly expires: number },
): Promise<kit.Generation> {
  const locks = entries.tickets(key);
  while (!call.isLate) {
    const tickets = await locks.list();
    const isLocked = tickets.some((ticket) => ticket.kind === "lock" && isRunning(ticket));
    if (!isLocked) {
      await locks.destroy(tickets);
      const lock = newTicket("lock", lockTime, now());
      if (await locks.place(lock, [])) {
        const { generation, expires } = next(await find(entries, key));
        const kept: Kept = { expires, fresh: expires, bytes: Buffer.from(kit.generationText(generation)) };
        if (await locks.redeem(lock, encode(key, kept))) return generation;
        continue;
      }
    }
    // About as long as a change takes; at random, so that those who wait do not come at one moment.
    await kit.pause(1 + Math.random() * 3);
  }
  throw new Error("the time for it was over");
}

async function find(entries: Entries, key: string): Promise<Found> {
  const kept = await entries.read(key, () => true);
  return { generation: kit.generationFrom(kept?.bytes), expires: kept?.expires ?? 0 };
}
