import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { frame, frameOf, PayloadWriter } from "./frames.js";
import { type Seen, SnapshotTrouble } from "./snapshot-disk.js";

/** The values of one class in a file. */
interface SavedClass {
  readonly index: number;
  readonly keys: Set<string>;
}

/**
 * The values that a file holds, and what has changed since. A change is written to the file before
 * the operation that made it resolves. So a process that is killed leaves no removed value behind.
 *
 * Each value, class and tag is written once at most, so the file grows by less than its own length.
 */
export class Changes {
  readonly #classes = new Map<number, SavedClass>();
  readonly #tags = new Set<string>();
  readonly #refused: (error: unknown) => void;
  /** A number, because a file handle that is collected must have been closed. */
  #file: number | undefined;
  #isClosed = false;
  /** The frames that wait until the file is whole. */
  #waiting: Buffer[] = [];
  /** The length of the file. */
  size = 0;

  /** @param refused called if a change could not be written. The file is emptied then. */
  constructor(refused: (error: unknown) => void) {
    this.#refused = refused;
  }

  /** Records that the file has a value. */
  add(space: number, index: number, key: string, tags: readonly string[]): void {
    let saved = this.#classes.get(space);
    if (saved === undefined) {
      saved = { index, keys: new Set() };
      this.#classes.set(space, saved);
    }
    saved.keys.add(key);
    for (const tag of tags) this.#tags.add(tag);
  }

  /** The value of a key is another one from now on, or none. */
  changed(space: number, key: string): void {
    const saved = this.#classes.get(space);
    if (saved?.keys.delete(key) !== true) return;
    this.#append(frameOf(frame.changedEntry, new PayloadWriter().number(saved.index).text(key).take()));
  }

  /** Every value of a class is removed. */
  cleared(space: number): void {
    const saved = this.#classes.get(space);
    if (saved === undefined) return;
    this.#classes.delete(space);
    this.#append(frameOf(frame.changedOwner, new PayloadWriter().number(saved.index).take()));
  }

  ended(tag: string): void {
    if (this.#tags.delete(tag)) this.#append(frameOf(frame.changedTag, Buffer.from(tag)));
  }

  endedWhere(matches: (tag: string) => boolean): void {
    for (const tag of [...this.#tags]) if (matches(tag)) this.ended(tag);
  }

  changedWhere(space: number, accepts: (key: string) => boolean): void {
    for (const key of [...(this.#classes.get(space)?.keys ?? [])]) if (accepts(key)) this.changed(space, key);
  }

  /**
   * Writes to the end of the file from now on.
   *
   * @throws SnapshotTrouble `taken`, or the error of the file system
   */
  attach(path: string, { inode, size }: Seen): void {
    const file = openSync(path, "r+");
    this.#file = file;
    if (fstatSync(file, { bigint: true }).ino !== inode)
      throw new SnapshotTrouble("taken", "Another process has replaced the file.");
    this.size = size;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) this.#append(each);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    this.#classes.clear();
    this.#tags.clear();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #append(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (this.#file === undefined) {
      this.#waiting.push(bytes);
      return;
    }
    try {
      // Another process has taken the file, and notes its own changes there.
      if (fstatSync(this.#file).size !== this.size) {
        this.close();
        return;
      }
      const written = writeSync(this.#file, bytes, 0, bytes.length, this.size);
      this.size += written;
      if (written < bytes.length) throw new Error(`Only ${written} of ${bytes.length} bytes were written.`);
    } catch (error) {
      this.#empty(this.#file);
      this.#refused(error);
    }
  }

  /** Keeps the file from being read, because it has values that have changed. */
  #empty(file: number): void {
    try {
      ftruncateSync(file, 0);
      this.size = 0;
    } catch {
      // The caller reports the error that made this necessary.
    }
    this.#classes.clear();
    this.#tags.clear();
  }
}
