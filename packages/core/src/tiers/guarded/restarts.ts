import { asError } from "../../errors.js";
import { storageKey } from "../../node/key.js";
import type { RemoteStorage, ServerRun } from "../../storage/remote-storage.js";
import type { StorageClock } from "../storage-clock.js";
import type { Guard } from "./guard.js";

/** Whether entries from before a restart of the server count. */
export type AfterRestart = "trust" | "distrust";

/** The storage whose server may restart. */
export interface RestartingStorage {
  readonly storage: RemoteStorage;
  readonly guard: Guard;
  /** The offset of the storage's clock from ours. */
  readonly clock: StorageClock;
  /** Returns the time, on our clock. */
  readonly now: () => number;
}

/** Milliseconds for which a storage keeps the time of a run at least: 30 days. */
const keptFor = 2_592_000_000;

/**
 * Notices that a server has restarted, or that another one has taken over. Such a server may have
 * brought back what was removed, from an older snapshot or as a replica that lagged. Entries that
 * were written before are misses, if the program wants that.
 */
export class Restarts {
  readonly #storage: RemoteStorage;
  readonly #guard: Guard;
  readonly #clock: StorageClock;
  readonly #now: () => number;
  readonly #distrusts: boolean;
  /** The number of connections when the run was last known. */
  #connections = -1;
  #id: string | undefined;
  /** The time, on our clock, up to which written entries are misses. */
  #until = Number.NEGATIVE_INFINITY;
  #checking: Promise<Error | undefined> | undefined;

  constructor({ storage, guard, clock, now }: RestartingStorage, afterRestart: AfterRestart) {
    this.#storage = storage;
    this.#guard = guard;
    this.#clock = clock;
    this.#now = now;
    this.#distrusts = afterRestart === "distrust";
  }

  /**
   * Settles when it is known whether the server has restarted. Call it after each answer: a
   * connection that was made since may be one to another run. Returns `undefined` if there is
   * nothing to find out, as nearly always.
   *
   * @param trouble the error of the answer, if it was one
   * @returns settles with the error of a server that answers, but does not tell its run, such as to
   *   a user that may not ask. Nothing else would tell why all reads miss
   */
  known(trouble: Error | undefined): Promise<Error | undefined> | undefined {
    if (!this.#distrusts || !this.#isUnknown) return undefined;
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return trouble === undefined ? this.#checking : this.#checking.then(() => undefined);
  }

  /** Returns whether an entry that was written at this time, on our clock, is a miss. */
  covers(writtenAt: number): boolean {
    return this.#distrusts && (writtenAt <= this.#until || this.#isUnknown);
  }

  get #isUnknown(): boolean {
    const { runs } = this.#storage;
    return runs !== undefined && runs.connections !== this.#connections;
  }

  /** If the server does not tell its run, that stays unknown, and every entry is a miss. */
  async #check(): Promise<Error | undefined> {
    const { runs } = this.#storage;
    if (runs === undefined) return undefined;
    // A connection that is made meanwhile is checked next time.
    const { connections } = runs;
    try {
      const run = await this.#guard.run("run", () => runs.current());
      if (run.id !== this.#id) {
        this.#until = Math.max(this.#until, await this.#beginOf(run));
        this.#id = run.id;
      }
      this.#connections = Math.max(connections, 0);
      return undefined;
    } catch (error) {
      return asError(error);
    }
  }

  /** Returns the time, on our clock, up to which entries are from before this run, at most. */
  async #beginOf({ id, startedAt }: ServerRun): Promise<number> {
    const noted = await this.#noted(id);
    // This process may have noticed the run only now, but it has read and written until now.
    if (this.#id !== undefined) return this.#now();
    return Math.max(noted, (startedAt ?? Number.NEGATIVE_INFINITY) - this.#clock.offset);
  }

  /**
   * Returns when the first process noticed the run. A server that takes over has perhaps run for
   * long, so its start does not tell it. The storage keeps that time as a generation, for processes
   * that begin later. If it cannot, all entries until now count as older.
   */
  async #noted(id: string): Promise<number> {
    const { generations } = this.#storage;
    if (generations === undefined) return Number.NEGATIVE_INFINITY;
    const key = storageKey("cacheme:~run:", id, "");
    try {
      const [noted] = await this.#guard.run("ensure", () => generations.ensure([key], keptFor));
      return noted === undefined ? this.#now() : noted.at - this.#clock.offset;
    } catch {
      return this.#now(); // A full server, or one that takes no writes, still answers reads.
    }
  }
}
