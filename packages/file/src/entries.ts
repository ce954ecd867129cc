import fs from "node:fs";
import { KeyFailures } from "cacheme/driver";
import { now } from "./clock.js";
import { type Ending, forEach, readFile, remove, writeFile } from "./disk.js";
import type { Folder } from "./folder.js";
import { decode, encode, headingOf, type Kept, lengthOf } from "./record.js";
import type { SizeBound } from "./size-bound.js";
import { Tickets } from "./tickets.js";

/** One in so many reads marks the file as used. A file that is read often is marked soon enough. */
const readsPerTouch = 16;

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
    const use = (content: Buffer, isShared: boolean): Kept | undefined => {
      const kept = decode(content, key, isShared);
      if (kept === undefined || !isWanted(kept)) return undefined;
      if (this.#bound !== undefined && ++this.#reads % readsPerTouch === 0) touch(path);
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

  /** Whether there was one, and it had not expired. The lease must be destroyed before. */
  async remove(key: string): Promise<boolean> {
    const hash = this.folder.hash(key);
    const path = this.folder.entry(hash);
    await this.folder.refuseLink(hash);
    const heading = await readFile(path, (content) => headingOf(content) ?? "foreign");
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

/** Nobody waits for it, and that it fails is no matter. */
function touch(path: string): void {
  const seconds = now() / 1000;
  fs.lutimes(path, seconds, seconds, () => {});
}
