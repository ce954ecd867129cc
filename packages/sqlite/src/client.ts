import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { elapsed, isError, pause, type StorageCall, setImmediate } from "cacheme/driver";
import { closeQuietly, type Driver, driverFor } from "./database.js";
import { inMemory, type Settings } from "./options.js";
import { requireOwnFile } from "./ownership.js";
import { realFile } from "./private-file.js";
import { Session, type TransactionKind } from "./session.js";
import { alone, identity, setAside } from "./set-aside.js";
import { troubleOf } from "./trouble.js";

/** Milliseconds between two looks of reads whether the file is still the one that was opened. A look costs 3 µs. */
const lookEvery = 100;

/** Milliseconds for which a slice of a batch may hold the event loop, and the lock of a writer. */
const sliceTime = 20;

/** Records between two looks at the time. */
const looksApart = 16;

/**
 * The handle, and what is done about trouble with it:
 *
 * - locked by another process: tried again after pauses, in which the event loop goes on, until the deadline is near;
 * - corrupt: a file that is the storage's own is set aside and reported, a new one made, and the work done again;
 * - the file or the table is gone, or the name is another file's: opened again, and what was written is written again.
 */
export class Client {
  readonly #settings: Settings;
  #session: Session | undefined;
  #opening: Promise<Session> | undefined;
  #lookedAt = 0;
  #isClosed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  close(): void {
    this.#isClosed = true;
    this.#drop(this.#session);
  }

  /** Does some work, without a pause if there is no trouble, and never after the call's deadline. */
  async use<T>(call: Pick<StorageCall, "isLate">, work: (session: Session) => T): Promise<T> {
    let recovery: Recovery | undefined;
    for (;;) {
      let session: Session | undefined;
      try {
        session = this.#ready() ?? (await this.open());
        if (call.isLate) throw new Error("the time for it was over");
        return work(session);
      } catch (error) {
        recovery ??= new Recovery(this.#settings.commandTimeout);
        await this.#recover(error, session, recovery);
        if (call.isLate) throw error;
      }
    }
  }

  /**
   * Works through a batch: in one transaction if it takes less than {@link sliceTime}, else in several, between which the
   * event loop and other writers have their turn.
   *
   * @param answerTo answers one item; it is called again for an item whose transaction failed
   */
  async batch<Item, Answer>(
    call: Pick<StorageCall, "isLate">,
    kind: TransactionKind,
    items: readonly Item[],
    answerTo: (slice: Slice, item: Item) => Answer,
  ): Promise<Answer[]> {
    const answers: Answer[] = new Array(items.length);
    for (let done = 0; done < items.length && !call.isLate; ) {
      if (done > 0) await new Promise((resolve) => setImmediate(resolve));
      done = await this.use(call, (session) => {
        const next = session.transaction(kind, () => slice(session, done, items, answers, answerTo));
        // Nobody reads a write to a file that others have left, and a removal there would not end their loads.
        if (kind === "writing" && this.#isLeft(session)) {
          throw new LeftFile("the file was removed or set aside meanwhile");
        }
        return next;
      });
    }
    return answers;
  }

  /** The open handle, `undefined` where one must be opened first. */
  #ready(): Session | undefined {
    const session = this.#session;
    if (session?.identity === undefined) return session;
    if (elapsed() - this.#lookedAt < lookEvery || !this.#isLeft(session)) return session;
    this.#drop(session);
    return undefined;
  }

  /** Whether the file was removed or set aside, so that a session on it sees no other process' writes. */
  #isLeft(session: Session): boolean {
    if (session.identity === undefined) return false;
    this.#lookedAt = elapsed();
    return identity(this.#settings.file ?? "") !== session.identity;
  }

  /** Closes a session, unless another one took its place already. A handle of the program's own stays open. */
  #drop(session: Session | undefined): void {
    if (session === undefined || this.#session !== session) return;
    this.#session = undefined;
    if (this.#settings.own === undefined) closeQuietly(session);
  }

  /** Returns the open session, or opens one. */
  open(corrupt?: Corrupt): Promise<Session> {
    if (this.#session !== undefined) return Promise.resolve(this.#session);
    this.#opening ??= this.#open(corrupt).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(corrupt?: Corrupt): Promise<Session> {
    const { file, own, connectTimeout } = this.#settings;
    const recovery = new Recovery(connectTimeout);
    for (;;) {
      try {
        const session = own ? new Session(own, this.#settings) : this.#openFile(file ?? inMemory, corrupt);
        this.#session = session;
        this.#lookedAt = elapsed();
        if (this.#isClosed) this.#drop(session);
        return session;
      } catch (error) {
        await recovery.pause(error);
      }
    }
  }

  #openFile(path: string, corrupt?: Corrupt): Session {
    const driver = driverFor(this.#settings);
    if (path === inMemory) return new Session(driver.open(path), this.#settings);
    const file = realFile(path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return alone(driver, file, () => {
      // Another process may have set it aside already.
      if (corrupt !== undefined && corrupt.session.identity === identity(file))
        this.#setAside(driver, file, corrupt.error);
      try {
        return Session.open(driver, file, this.#settings);
      } catch (error) {
        if (troubleOf(error) !== "corrupt" || !isError(error)) throw error;
        this.#setAside(driver, file, error);
        return Session.open(driver, file, this.#settings);
      }
    });
  }

  #setAside(driver: Driver, file: string, error: Error): void {
    requireOwnFile(driver, file, error);
    const movedTo = setAside(file);
    const { label, onCorrupt } = this.#settings;
    try {
      onCorrupt?.({ file, movedTo, error });
      if (onCorrupt !== undefined) return;
    } catch {
      // The warning reports it then.
    }
    process.emitWarning(
      `${label} is not a sound database (${error.message}). It was moved to ${movedTo}, and a new one was made.`,
      { type: "CachemeWarning", code: "CACHEME_CORRUPT_FILE" },
    );
  }

  /** @throws the error, where nothing can be done about it */
  async #recover(error: unknown, session: Session | undefined, recovery: Recovery): Promise<void> {
    const trouble = troubleOf(error);
    if (session === undefined || !isError(error)) throw error;
    if (trouble === "busy") return recovery.pause(error);
    const isMended =
      trouble === "noTable" ||
      error instanceof LeftFile ||
      // A handle of the program's own, or in memory, has no identity.
      (trouble === "corrupt" && session.identity !== undefined);
    if (!isMended || recovery.wasMended) throw error;
    recovery.wasMended = true;
    const isCurrent = this.#session === session;
    this.#drop(session);
    await this.open(isCurrent && trouble === "corrupt" ? { session, error } : undefined);
  }
}

class LeftFile extends Error {}

/** A session on a damaged file, and the error that showed it. */
interface Corrupt {
  readonly session: Session;
  readonly error: Error;
}

/** A part of a batch, in one transaction. */
export interface Slice extends Pick<Session, "commands"> {
  /** When the transaction began, on the storage's clock. */
  readonly now: number;
  /** Whether there may be leases to end; there are none most of the time. */
  hasLeases: boolean | undefined;
}

/** Answers items from a place on until the time is over, and returns the place of the next one. */
function slice<Item, Answer>(
  session: Session,
  from: number,
  items: readonly Item[],
  answers: Answer[],
  answerTo: (slice: Slice, item: Item) => Answer,
): number {
  const end = elapsed() + sliceTime;
  const part: Slice = { commands: session.commands, now: session.now(), hasLeases: undefined };
  for (let index = from; index < items.length; index++) {
    if (index > from && index % looksApart === 0 && elapsed() > end) return index;
    // Every place below the length has an item, though one of the items may be `undefined`.
    answers[index] = answerTo(part, items[index] as Item);
  }
  return items.length;
}

/** The attempts of one call. */
class Recovery {
  wasMended = false;
  readonly #until: number;
  #attempts = 0;

  constructor(timeout: number) {
    // The error that says what is wrong must come before the one that says that the time is over.
    this.#until = elapsed() + timeout * 0.9;
  }

  /** @throws the error unless it is a lock that may be free soon, and there is time to wait for it */
  async pause(error: unknown): Promise<void> {
    // The longer it lasts the longer it may last; a random half keeps processes from asking in step.
    const milliseconds = Math.min(2 ** this.#attempts++, 50) * (0.5 + Math.random() / 2);
    if (troubleOf(error) !== "busy" || elapsed() + milliseconds > this.#until) throw error;
    await pause(milliseconds);
  }
}
