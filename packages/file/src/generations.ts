import { randomBytes } from "node:crypto";
import {
  checkKeys,
  type Generation,
  type Generations,
  generationFrom,
  generationText,
  type StorageCall,
  type StorageCalls,
  setTimeout,
} from "cacheme/driver";
import { after, never, now } from "./clock.js";
import { forEach } from "./disk.js";
import type { Entries } from "./entries.js";
import { encode, type Kept } from "./record.js";
import { destroy, isRunning, newTicket, place, redeem, ticketsOf } from "./tickets.js";
import { isFull } from "./trouble.js";

/** Milliseconds for which a change of a generation may hold its key. Whoever is slower finds its ticket gone, and begins anew. */
const lockTime = 250;

/** What stands under a key, also where it has expired. */
interface Found {
  readonly generation: Generation | undefined;
  readonly expires: number;
}

/**
 * A generation is an ordinary entry. It is changed by whoever holds the ticket of its key (`tickets.ts`): the new one is
 * written into the ticket and renamed into its place, so that of many one makes it, and a change that was overtaken fails
 * and is made again on what is there then.
 */
export class FileGenerations implements Generations {
  readonly #label: string;
  readonly #calls: StorageCalls;
  readonly #entries: Entries;

  constructor(label: string, calls: StorageCalls, entries: Entries) {
    this.#label = label;
    this.#calls = calls;
    this.#entries = entries;
  }

  async ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#batch("an ensure", keys, async (key, call) => {
      const isEnough = ({ generation, expires }: Found): boolean =>
        generation !== undefined && expires > now() && expires >= after(ttl);
      const found = await this.#find(key);
      // Nearly always: nothing is written.
      if (found.generation !== undefined && isEnough(found)) return found.generation;
      return this.#change(key, call, (before) => {
        const isThere = before.generation !== undefined && before.expires > now();
        const generation = isThere ? before.generation : following(before.generation);
        return { generation, expires: Math.max(isThere ? before.expires : 0, withSpare(ttl)) };
      });
    });
  }

  async bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]> {
    return this.#batch("a bump", keys, (key, call) =>
      this.#change(key, call, (before) => ({
        generation: following(before.generation),
        expires: after(ttl),
      })).catch((error: unknown) => this.#lose(key, call, error)),
    );
  }

  /**
   * Removes the generation if the disk is full: without it each entry of the tag is a miss, as after a bump. A change that
   * holds the key meanwhile may write the old generation again, so the removal is repeated until it finds neither.
   */
  async #lose(key: string, call: StorageCall, error: unknown): Promise<Generation> {
    if (!isFull(error)) throw error;
    const { folder } = this.#entries;
    const hash = folder.hash(key);
    let lost: Generation | undefined;
    while (!call.isLate) {
      const tickets = await ticketsOf(folder, hash);
      await destroy(folder, hash, tickets);
      const { generation } = await this.#find(key);
      await this.#entries.remove(key);
      if (tickets.length === 0 && generation === undefined) return following(lost);
      lost ??= generation;
    }
    throw error;
  }

  async #change(
    key: string,
    call: StorageCall,
    next: (before: Found) => { readonly generation: Generation; readonly expires: number },
  ): Promise<Generation> {
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
          const kept: Kept = { expires, fresh: expires, bytes: Buffer.from(generationText(generation)) };
          if (await redeem(folder, hash, lock.name, encode(key, kept))) return generation;
          continue;
        }
      }
      // About as long as a change takes; at random, so that those who wait do not come at one moment.
      await new Promise<void>((resolve) => setTimeout(resolve, 1 + Math.random() * 3).unref());
    }
    throw new Error("the time for it was over");
  }

  async #find(key: string): Promise<Found> {
    const kept = await this.#entries.find(key);
    return { generation: generationFrom(kept?.bytes), expires: kept?.expires ?? 0 };
  }

  /** A key that stands twice is asked about once: the changes of one batch have no order. */
  async #batch(
    action: string,
    keys: readonly string[],
    answerTo: (key: string, call: StorageCall) => Promise<Generation>,
  ): Promise<readonly Generation[]> {
    checkKeys(keys, this.#label);
    if (keys.length === 0) return [];
    const answers = new Map<string, Generation>();
    await this.#calls.run(action, (call) =>
      forEach(
        [...new Set(keys)],
        () => call.isLate,
        async (key) => void answers.set(key, await answerTo(key, call)),
      ),
    );
    return keys.map((key) => answers.get(key)).filter((generation) => generation !== undefined);
  }
}

/** A quarter more than was asked for, so that not every `ensure` has something to write. */
function withSpare(ttl: number | undefined): number {
  return ttl === undefined ? never : after(ttl + ttl / 4);
}

/** The machine's clock may be set back; the times of generations are not. */
function following(before: Generation | undefined): Generation {
  return { id: randomBytes(16).toString("base64url"), at: Math.max(now(), before?.at ?? 0) };
}
