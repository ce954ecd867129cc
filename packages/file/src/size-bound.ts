import type { Stats } from "node:fs";
import { oneAtATime, within } from "cacheme/driver";
import { now } from "./clock.js";
import { forEach, lookAt, remove } from "./disk.js";
import { type Folder, pathsIn } from "./folder.js";

/** The unit of space in a file system. */
const block = 4096;

/** The share that is left after a removal, so that the next one is not due at once. */
const filled = 0.9;

/** From here on writers wait for room, each for so many milliseconds at most. */
const overfilled = 1.25;
const longestWait = 50;

/** Classes of age: each is half as long again as the one before, from a millisecond to some weeks. */
const classes = 64;

/**
 * Keeps the folder below a size on the disk, after many writes and at each sweep: removes the files that
 * were not written or read for the longest time.
 *
 * Their ages are counted in classes, so that any number of files takes the same memory: first the bytes
 * of each class, then the oldest classes go, and of the last one as many files as needed.
 */
export class SizeBound {
  readonly #folder: Folder;
  readonly #maxSize: number;
  /** Bytes that may be on the disk: those found last, and those written since, without what they replaced. */
  #estimate = 0;
  readonly #ending = { isLate: false };

  constructor(folder: Folder, maxSize: number) {
    this.#folder = folder;
    this.#maxSize = maxSize;
  }

  /** Counts a write. The writer waits for it, so that writes slow down if the folder grows faster than it is cleared. */
  async wrote(content: readonly Uint8Array[]): Promise<void> {
    this.#estimate += onDisk(content.reduce((sum, part) => sum + part.length, 0));
    if (this.#estimate <= this.#maxSize || this.#ending.isLate) return;
    // A disk in trouble tells those who read and write.
    const enforced = this.enforce().catch(() => {});
    if (this.#estimate <= this.#maxSize * overfilled) return;
    await within(longestWait, enforced, () => {});
  }

  /** Looks at all files and removes what is too much. Settles with the look that is under way, where there is one. */
  readonly enforce: () => Promise<void> = oneAtATime(() => this.#enforce());

  async stop(): Promise<void> {
    this.#ending.isLate = true;
    await this.enforce().catch(() => {});
  }

  async #enforce(): Promise<void> {
    do {
      this.#estimate = 0;
      if (this.#ending.isLate || !(await this.#folder.isOwn())) return;
      // One moment for both walks: what has grown older between them would be taken with a class that it was not counted in.
      const at = now();
      const bytes = new Float64Array(classes);
      await this.#eachFile(at, async (_, age, size) => {
        bytes[age] = (bytes[age] ?? 0) + size;
      });
      const total = bytes.reduce((sum, size) => sum + size, 0);
      if (total <= this.#maxSize) {
        this.#estimate += total;
        return;
      }
      let left = total - this.#maxSize * filled;
      let oldest = classes - 1;
      for (let sum = bytes[oldest] ?? 0; sum < left && oldest > 0; sum += bytes[oldest] ?? 0) oldest--;
      // All of the classes beyond go, so that of this one only the rest need go.
      for (let age = oldest + 1; age < classes; age++) left -= bytes[age] ?? 0;
      let removed = 0;
      await this.#eachFile(at, async (path, age, size) => {
        if (age < oldest || (age === oldest && left <= 0)) return;
        if (age === oldest) left -= size;
        if (await remove(path)) removed += size;
      });
      this.#estimate += total - removed;
    } while (this.#estimate > this.#maxSize && !this.#ending.isLate);
  }

  async #eachFile(
    at: number,
    act: (path: string, age: number, size: number) => Promise<void>,
  ): Promise<void> {
    for (const folder of await this.#folder.entryFolders()) {
      if (this.#ending.isLate) return;
      await forEach(await pathsIn(folder), this.#ending, async (path) => {
        const found = await lookAt(path);
        if (found !== undefined) await act(path, classOf(at - lastUseOf(found)), onDisk(found.size));
      });
    }
  }
}

/** Returns when a file was last written, marked or touched. A touch has put a later end in the first time's place. */
function lastUseOf({ mtimeMs, ctimeMs }: Stats): number {
  return Math.min(mtimeMs, ctimeMs);
}

/** Half octaves. */
function classOf(age: number): number {
  return Math.min(classes - 1, Math.floor(2 * Math.log2(Math.max(1, age))));
}

function onDisk(size: number): number {
  return Math.ceil(size / block) * block;
}
