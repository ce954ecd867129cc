import type { StorageCall, WrittenRows } from "cacheme/driver";
import type { Client } from "./client.js";
import { never } from "./commands.js";
import type { Session } from "./session.js";

/** Records that are removed in one transaction. */
const atOnce = 100;

/** Free pages that are given back to the disk in one transaction. */
const pagesAtOnce = 250;

/** Part of the file that may be free: what is written next takes it, so to give all back and take it again is waste. */
const spare = 1 / 8;

/** Removes some of what has expired, and makes a file of the storage's own smaller where much of it is free: whether there may be more to do. */
export function sweep(session: Session): boolean {
  const { commands } = session;
  const now = session.now();
  const expired = commands.expired.values(now, atOnce);
  if (expired.length > 0 || session.number("hasLeases") > 0) {
    session.transaction("writing", () => {
      commands.sweepLeases.run(now);
      // Looks again: another process may have written one of them in between.
      for (const row of commands.expired.values(now, atOnce)) commands.sweep.run(row);
    });
  }
  if (expired.length === atOnce) return true;
  if (!session.isOwn || session.number("freePages") <= session.number("pages") * spare) return false;
  session.database.exec(`PRAGMA incremental_vacuum(${pagesAtOnce})`);
  return true;
}

/** A record in the order of writing: those of one millisecond stand in the order of their rows. */
export interface Place {
  readonly written: number;
  readonly rowid: number;
}

/** Returns the records in the order of writing, for `SizeBound`. The leases are in another table, and stay. */
export function writtenRows(client: Client, call: StorageCall): WrittenRows<Place> {
  return {
    find: (olderThan, skipped) =>
      client.use(call, ({ commands }) => {
        const { written, rowid } = olderThan ?? { written: never, rowid: never };
        const found = commands.findWritten.row(written, rowid, skipped);
        return found && { written: Number(found["written"]), rowid: Number(found["rowid"]) };
      }),
    removeUpTo: ({ written, rowid }) =>
      client.use(call, ({ commands }) => commands.removeWritten.run(written, rowid, atOnce) === atOnce),
  };
}
