import { rm } from "node:fs/promises";
import { now } from "./clock.js";
import { forEach, lookAt, namesIn, readFile, remove, removeIfEmpty } from "./disk.js";
import { type Folder, hashed } from "./folder.js";
import { headingOf } from "./record.js";
import type { SizeBound } from "./size-bound.js";
import { destroy, isRunning, ticketsOf } from "./tickets.js";
import { hashesIn } from "./walk.js";

/** Folders of entries. A step is sixteen of them, and a sweep sixteen steps: every file is opened, so it is spread. */
const folders = 4096;
const foldersPerStep = 16;
const stepsPerSweep = 16;

/** Milliseconds after which what was being written is left over: no call takes so long. */
const leftOverAfter = 15 * 60_000;

/** Removes what has expired, leases that are over, and what killed processes have left behind. */
export class Sweep {
  readonly #folder: Folder;
  readonly #bound: SizeBound | undefined;
  /** Another place for each process, so that several together are through sooner. */
  #next = Math.floor(Math.random() * (folders / foldersPerStep)) * foldersPerStep;
  #left = 0;
  #stopped = false;

  constructor(folder: Folder, bound: SizeBound | undefined) {
    this.#folder = folder;
    this.#bound = bound;
  }

  /** A step of a sweep: whether there is more to do. */
  async step(): Promise<boolean> {
    if (this.#left === 0) {
      await this.#leases();
      await this.#leftOvers();
      await this.#bound?.enforce();
      this.#left = stepsPerSweep;
    }
    await this.#expired(this.#next);
    this.#next = (this.#next + foldersPerStep) % folders;
    this.#left--;
    return this.#left > 0 && !this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #expired(first: number): Promise<void> {
    for (let index = first; index < first + foldersPerStep && !this.#stopped; index++) {
      const folder = this.#folder.entryFolder(index.toString(16).padStart(3, "0"));
      await this.#each(await hashesIn(folder), async (hash) => {
        const path = `${folder}/${hash}`;
        const expires = await readFile(
          path,
          () => 0,
          // What is no record is a miss for ever, and only takes space.
          (content) => headingOf(content)?.expires ?? 0,
        );
        // Written anew since it was read, it is lost: a miss more, and nothing else.
        if (expires !== undefined && expires <= now()) await remove(path);
      });
    }
  }

  async #leases(): Promise<void> {
    const hashes = (await namesIn(this.#folder.leases)).filter((name) => hashed.test(name));
    await this.#each(hashes, async (hash) => {
      const over = (await ticketsOf(this.#folder, hash)).filter((ticket) => !isRunning(ticket));
      await destroy(this.#folder, hash, over);
      await removeIfEmpty(this.#folder.lease(hash));
    });
  }

  async #leftOvers(): Promise<void> {
    await this.#each(await namesIn(this.#folder.temporary), async (name) => {
      const path = `${this.#folder.temporary}/${name}`;
      const found = await lookAt(path);
      if (found !== undefined && now() - found.mtimeMs > leftOverAfter)
        await rm(path, { recursive: true, force: true });
    });
  }

  #each(names: readonly string[], act: (name: string) => Promise<void>): Promise<void> {
    return forEach(names, () => this.#stopped, act);
  }
}
