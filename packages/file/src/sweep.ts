import { oneAtATime } from "cacheme/driver";
import { now } from "./clock.js";
import { forEach, lookAt, namesIn, readFile, remove, removeIfEmpty } from "./disk.js";
import { type Folder, pathsIn, temporaryName } from "./folder.js";
import { headingIn } from "./record.js";
import type { SizeBound } from "./size-bound.js";
import { isRunning, Tickets, ticketFrom } from "./tickets.js";

/** Folders of entries. A step is sixteen of them, and a sweep sixteen steps: every file is opened, so it is spread. */
const folders = 4096;
const foldersPerStep = 16;
const stepsPerSweep = 16;

/** Milliseconds after which what was being written is left over: no call takes so long. */
const leftOverAfter = 15 * 60_000;

/**
 * Removes expired entries and leases, and the rest of killed processes: only names that the storage
 * makes, in a folder that is still its own.
 */
export class Sweep {
  readonly #folder: Folder;
  readonly #bound: SizeBound | undefined;
  /** Another place for each process, so that several together are through sooner. */
  #next = Math.floor(Math.random() * (folders / foldersPerStep)) * foldersPerStep;
  #left = 0;
  readonly #ending = { isLate: false };

  constructor(folder: Folder, bound: SizeBound | undefined) {
    this.#folder = folder;
    this.#bound = bound;
  }

  /**
   * Makes a step, and answers whether there is more to do. The next call joins a step that outlasts its
   * deadline.
   */
  readonly step: () => Promise<boolean> = oneAtATime(() => this.#step());

  /** Settles when no step is under way any more. */
  async stop(): Promise<void> {
    this.#ending.isLate = true;
    await this.step().catch(() => {});
  }

  async #step(): Promise<boolean> {
    if (this.#ending.isLate || !(await this.#folder.isOwn())) return false;
    if (this.#left === 0) {
      await this.#leases();
      await this.#leftOvers();
      // It may outlast the deadline of this step. The bound's own end waits for it.
      this.#bound?.enforce().catch(() => {});
      this.#left = stepsPerSweep;
    }
    await this.#expired(this.#next);
    this.#next = (this.#next + foldersPerStep) % folders;
    this.#left--;
    return this.#left > 0 && !this.#ending.isLate;
  }

  async #expired(first: number): Promise<void> {
    // One look at all of them: in a small cache most are not there.
    for (const folder of await this.#folder.entryFolders()) {
      const index = Number.parseInt(folder.slice(-3), 16);
      if (index < first || index >= first + foldersPerStep || this.#ending.isLate) continue;
      await forEach(await pathsIn(folder), this.#ending, async (path) => {
        // A file without a record is a miss for ever, and only takes space.
        const found = await readFile(path, (...given) => headingIn(...given) ?? { expires: 0 });
        // If it was written or touched since it was read, it is lost: a miss more, and nothing else.
        if (found !== undefined && found.expires <= now()) await remove(path);
      });
    }
  }

  async #leases(): Promise<void> {
    await forEach(await this.#folder.leased(), this.#ending, async (hash) => {
      const tickets = new Tickets(this.#folder, hash);
      await tickets.destroy((await tickets.list()).filter((ticket) => !isRunning(ticket)));
      await removeIfEmpty(this.#folder.lease(hash));
    });
  }

  async #leftOvers(): Promise<void> {
    const { temporary } = this.#folder;
    const isLeft = async (name: string): Promise<boolean> => {
      const found = temporaryName.test(name) ? await lookAt(`${temporary}/${name}`) : undefined;
      return found !== undefined && now() - found.mtimeMs > leftOverAfter;
    };
    await forEach(await namesIn(temporary, "isFile"), this.#ending, async (name) => {
      if (await isLeft(name)) await remove(`${temporary}/${name}`);
    });
    // A ticket on its way to its place.
    await forEach(await namesIn(temporary, "isDirectory"), this.#ending, async (name) => {
      if (!(await isLeft(name))) return;
      const path = `${temporary}/${name}`;
      for (const ticket of await namesIn(path, "isFile")) {
        if (ticketFrom(ticket) !== undefined) await remove(`${path}/${ticket}`);
      }
      await removeIfEmpty(path);
    });
  }
}
