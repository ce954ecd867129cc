import fs from "node:fs";
import { KeyFailures } from "cacheme/driver";
import { after, now } from "./clock.js";
import { changeTime, type Ending, forEach, inDoubt, readFile, remove, type Use, writeFile } from "./disk.js";
import type { Folder } from "./folder.js";
import { decode, encode, endOf, headingIn, headingOf, type Kept, lasting, lengthOf } from "./record.js";
import type { SizeBound } from "./size-bound.js";
import { Tickets } from "./tickets.js";

/** One in so many reads marks the file as used. A file that is read often is marked soon enough. */
const readsPerMark = 16;

/** From here on it is cheaper to ask once which keys have a lease at all. */
const manyKeys = 8;

/** The entries of a folder, one by one. */
export class Entries {
  readonly folder: Folder;
  readonly #bound: SizeBound | undefined;
  #reads = 0;

  constructor(folder: Folder, bound: SizeBound | undefined) {
    this.folder = folder;
    this.#bound = bound;
  }

  tickets(key: string): Tickets {
    return new Tickets(this.folder, this.folder.hash(key));
  }

  /**
   * Destroys the leases that the keys have now, and then changes the entry of each. Fails for the keys
   * whose change has failed.
   */
  async change<Item extends { readonly key: string }>(
    items: readonly Item[],
    ending: Ending,
    act: (item: Item) => Promise<unknown>,
  ): Promise<void> {
    const { folder } = this;
    let hashes = items.map(({ key }) => folder.hash(key));
    if (hashes.length >= manyKeys) {
      const leased = new Set(await folder.leased());
      hashes = hashes.filter((hash) => leased.has(hash));
    }
    await forEach(hashes, ending, async (hash) => {
      const tickets = new Tickets(folder, hash);
      await tickets.destroy(await tickets.list());
    });
    const failures = new KeyFailures(items.length);
    await forEach(items, ending, (item) => act(item).catch((error) => failures.add(item.key, error)));
    failures.throwIfAny();
  }

  /** Reads the entry of a key if it is wanted. Default: if it has not expired. */
  read(key: string, isWanted: (kept: Kept) => boolean = isLive): Promise<Kept | undefined> {
    const path = this.folder.entry(this.folder.hash(key));
    const use: Use<Kept | undefined> = (content, isShared, facts) => {
      const record = decode(content, key, isShared);
      const kept = record && lasting(record, facts);
      if (kept === inDoubt) return inDoubt;
      if (kept === undefined || !isWanted(kept)) return undefined;
      if (this.#bound !== undefined && ++this.#reads % readsPerMark === 0) mark(path);
      return kept;
    };
    return readFile(path, use, lengthOf);
  }

  /**
   * Replaces the entry. Its lease must be destroyed before, or an older entry could undo a fill. Drops
   * the entry if the deadline has passed, because the key may have been removed since.
   */
  async write(key: string, kept: Kept, ending: Ending): Promise<void> {
    const { folder } = this;
    const path = folder.temporaryPath();
    const content = encode(key, kept);
    try {
      await folder.withFolders(() => writeFile(path, content, "wx"));
      if (ending.isLate) throw new Error("the time for it was over");
      await folder.publish(path, folder.hash(key));
    } catch (error) {
      await remove(path).catch(() => {});
      throw error;
    }
    await this.wrote(content);
  }

  /** Reports a file that was put in its place, and waits if the folder has to be cleared. */
  async wrote(content: readonly Uint8Array[]): Promise<void> {
    await this.#bound?.wrote(content);
  }

  /** Moves the end of an entry, if that is later. Returns whether there is one. */
  async touch(key: string, ttl: number): Promise<boolean> {
    let isThere = false;
    await changeTime(this.folder.entry(this.folder.hash(key)), (beginning, facts) => {
      const heading = headingOf(beginning);
      if (heading === undefined || heading.key !== key) return undefined;
      const [end, later] = [endOf(heading, facts), after(ttl)];
      isThere = end > now();
      return isThere && later > end ? later : undefined;
    });
    return isThere;
  }

  /** Whether there was one, and it had not expired. The lease must be destroyed before. */
  async remove(key: string): Promise<boolean> {
    const hash = this.folder.hash(key);
    const path = this.folder.entry(hash);
    await this.folder.refuseLink(hash);
    const heading = await readFile(path, (...given) => headingIn(...given) ?? "foreign");
    if (heading === undefined) return false;
    if (heading === "foreign") {
      await remove(path);
      return false;
    }
    // Another key of the same hash may have its place here: then there is no entry of this one.
    return heading.key === key && (await remove(path)) && heading.expires > now();
  }
}

function isLive({ expires }: Kept): boolean {
  return expires > now();
}

/**
 * Marks a file as used. Nobody waits for it, and that it fails is no matter. An end that was moved is
 * in that mark's place, and stays: it is the later time.
 */
function mark(path: string): void {
  fs.lstat(path, (error, facts) => {
    if (error !== null) return;
    const time = now();
    fs.lutimes(path, time / 1000, Math.max(time, facts.mtimeMs) / 1000, () => {});
  });
}
