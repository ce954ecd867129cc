import { randomBytes } from "node:crypto";
import { codeOf } from "cacheme/driver";
import { whenFree } from "./busy.js";
import { now } from "./clock.js";
import {
  ignoreMissing,
  isFolder,
  lookAt,
  makeFolder,
  namesIn,
  remove,
  removeIfEmpty,
  rename,
  writeFile,
} from "./disk.js";
import type { Folder } from "./folder.js";

/**
 * The right to put an entry in its place, as a file: `leases/HASH/TICKET`. Its holder writes the entry into
 * the ticket and renames it into the entry's place, which uses the right up and stores the entry in one step of the file
 * system. All else follows from what such steps promise, without a lock that somebody could die with:
 *
 * - **One at a time.** A ticket is made in a folder of its own elsewhere, and that folder is renamed to `leases/HASH`. A
 *   folder takes another one's place only if that is empty (rename(2)), so of many one succeeds, and only where no
 *   ticket stands.
 * - **What was taken away stays away.** To destroy a ticket is to remove its file. A rename after that fails; a rename
 *   before it is undone, because a removal destroys the tickets first and removes or replaces the entry then.
 * - **Nothing blocks for good.** A ticket's name says until when it holds. Later anybody may destroy it, and take the
 *   place. It says also how long it was made for, so that a clock that was set back does not keep it for hours.
 *
 * A name is never guessed: it has 128 random bits. A ticket that is extended gets a new name with the same bits.
 */
export interface Ticket {
  readonly name: string;
  /** The random bits. */
  readonly id: string;
  readonly kind: TicketKind;
  readonly until: number;
  readonly duration: number;
}

/** A lease is somebody's who loads; a lock is ours for the moment in which a generation is changed. */
export type TicketKind = "lease" | "lock";

/** Windows renames no folder into the place of another one, be it empty. Elsewhere this is a right that is missing. */
const noReplacing = process.platform === "win32" ? "EPERM" : undefined;

const letters = { lease: "t", lock: "l" } as const;

const form = /^([tl])([0-9a-z]{1,12})-([0-9a-z]{1,12})-([0-9a-f]{32})$/;

export function newTicket(
  kind: TicketKind,
  duration: number,
  from: number,
  id: string = randomBytes(16).toString("hex"),
): Ticket {
  const length = Math.min(Math.max(1, Math.floor(duration)), Number.MAX_SAFE_INTEGER - from);
  const until = from + length;
  const name = `${letters[kind]}${until.toString(36)}-${length.toString(36)}-${id}`;
  return { name, id, kind, until, duration: length };
}

/** Reads a ticket from a name. Another name, for which it answers `undefined`, must never become part of a path. */
export function ticketFrom(name: string): Ticket | undefined {
  const [, letter, until, duration, id] = form.exec(name) ?? [];
  if (until === undefined || duration === undefined || id === undefined) return undefined;
  const kind = letter === letters.lock ? "lock" : "lease";
  return { name, id, kind, until: Number.parseInt(until, 36), duration: Number.parseInt(duration, 36) };
}

export function isRunning({ until, duration }: Ticket, at: number = now()): boolean {
  return until > at && until - at <= duration;
}

/** Tickets that are being redeemed. A program that uses a token twice at once must not write twice into one file. */
const beingRedeemed = new Set<string>();

/** The tickets of one key. There is one at most, beside those that are being destroyed. */
export class Tickets {
  readonly #folder: Folder;
  readonly #hash: string;
  readonly #place: string;

  constructor(folder: Folder, hash: string) {
    this.#folder = folder;
    this.#hash = hash;
    this.#place = folder.lease(hash);
  }

  async list(): Promise<readonly Ticket[]> {
    const names = await namesIn(this.#place, "isFile");
    return names.map(ticketFrom).filter((ticket) => ticket !== undefined);
  }

  /** Puts a ticket in place, with a content until an entry is written into it: whether it was the first. */
  async place({ name }: Ticket, content: readonly Uint8Array[]): Promise<boolean> {
    const folder = this.#folder;
    const made = folder.temporaryPath();
    const discard = async (): Promise<void> => {
      await remove(`${made}/${name}`);
      await removeIfEmpty(made);
    };
    await folder.withFolders(() => makeFolder(made));
    try {
      await writeFile(`${made}/${name}`, content, "wx");
    } catch (error) {
      await discard();
      throw error;
    }
    const move = () => folder.withFolders(() => rename(made, this.#place));
    const isVacant = async (): Promise<boolean> => (await lookAt(this.#place)) === undefined;
    for (let attempt = 0; ; attempt++) {
      try {
        await whenFree(move, isVacant);
        return true;
      } catch (error) {
        const code = codeOf(error);
        if (code === noReplacing && attempt === 0) {
          await removeIfEmpty(this.#place);
          continue;
        }
        await discard();
        if (code === "ENOTEMPTY" || code === "EEXIST" || code === noReplacing) return false;
        throw error;
      }
    }
  }

  /** Writes an entry into a ticket and puts it in its place: whether the ticket was still good. */
  async redeem(ticket: Ticket, content: readonly Uint8Array[]): Promise<boolean> {
    if (beingRedeemed.has(ticket.id)) return false;
    beingRedeemed.add(ticket.id);
    try {
      return await this.#with(ticket, async (path) => {
        await writeFile(path, content, "r+");
        await this.#folder.publish(path, this.#hash);
      });
    } finally {
      beingRedeemed.delete(ticket.id);
    }
  }

  /** Moves the end of a ticket: whether the ticket was still there. */
  extend(ticket: Ticket, duration: number): Promise<boolean> {
    const { name } = newTicket(ticket.kind, duration, now(), ticket.id);
    return this.#with(ticket, (path) => whenFree(() => rename(path, `${this.#place}/${name}`)));
  }

  /** Destroys tickets, also those that are extended meanwhile: whether there was any of them. */
  async destroy(tickets: readonly Ticket[]): Promise<boolean> {
    const removed = await Promise.all(tickets.map((ticket) => this.#with(ticket, remove)));
    return removed.includes(true);
  }

  /**
   * Does something with the file of a ticket, under its present name: whether there was one. Follows no
   * symbolic link, because a token is enough to come here.
   *
   * @param act answers `false`, or fails, if there is no such file
   */
  async #with({ id, name: first }: Ticket, act: (path: string) => Promise<unknown>): Promise<boolean> {
    const place = this.#place;
    let isFound = false;
    for (let name = first, before = ""; !isFound && name !== before && (await isFolder(place)); ) {
      before = name;
      isFound = (await act(`${place}/${name}`).catch(ignoreMissing)) !== false;
      if (!isFound) name = (await this.list()).find((ticket) => ticket.id === id)?.name ?? name;
    }
    await removeIfEmpty(place);
    return isFound;
  }
}
