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
    session.writing(() => {
      commands.sweepLeases.run(now);
      // Looked for again: somebody may have written one of them anew in between.
      for (const row of commands.expired.values(now, atOnce)) commands.sweep.run(row);
    });
  }
  if (expired.length === atOnce) return true;
  if (!session.isOwn || session.number("freePages") <= session.number("pages") * spare) return false;
  session.database.exec(`PRAGMA incremental_vacuum(${pagesAtOnce})`);
  return true;
}
