import type { CancelTimer, Clock } from "../../clock.js";
import { reasonOf } from "../../errors.js";
import type { Events } from "../../events.js";
import type { FailedClaim, JournalClaim, JournalCount } from "../../journal/journal.js";
import type { GroupCommit } from "./group-commit.js";
import type { JournalCalls } from "./journal-calls.js";
import type { JournalSettings } from "./journal-options.js";

/** The source's answer to a claimed value: an error, or `undefined` if it has the value. */
export interface ClaimOutcome {
  readonly error: unknown;
  /** Whether no repetition can help, because the record cannot be read. */
  readonly isUnreadable: boolean;
}

/** The parts of a journal's writer that its flushes need. */
export interface FlusherEnvironment {
  readonly clock: Clock;
  readonly events: Events;
  readonly calls: JournalCalls;
  readonly settings: JournalSettings;
  readonly appends: GroupCommit;
  /** Returns a number from 0 to 1, as `Math.random` does. */
  readonly random: () => number;
  /** The names of the classes that this process can write. */
  nodes(): readonly string[];
  /** Writes the values into their sources. */
  write(claims: readonly JournalClaim[]): Promise<readonly (ClaimOutcome | undefined)[]>;
}

/** Extends claims until it is stopped. */
interface Renewal {
  stop(): void;
}

/** The pause between two reports of values whose class is not known, in milliseconds. */
const reportEvery = 60_000;

/** The pause of a drain while values wait for their next attempt, in milliseconds. */
const drainPause = 50;

/** The pause between two looks at the number of records, in milliseconds. */
const countEvery = 1_000;

/**
 * Writes a journal's values into their sources, in batches, one after the other. If the
 * source refuses a value, the flusher writes it again after a growing pause. A value that
 * is refused too often becomes a dead letter.
 */
export class Flusher {
  readonly #environment: FlusherEnvironment;
  #cancel: CancelTimer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #round: Promise<boolean> | undefined;
  #renewal: Renewal | undefined;
  #isClosed = false;
  /** Whether `close` has given the running round up, so that the round settles no claims. */
  #isAbandoned = false;
  #countedAt = Number.NEGATIVE_INFINITY;
  #reportedAt = Number.NEGATIVE_INFINITY;
  counts: readonly JournalCount[] = [];

  constructor(environment: FlusherEnvironment) {
    this.#environment = environment;
  }

  /** Makes a round in so many milliseconds, unless one is made before. */
  schedule(milliseconds: number): void {
    if (this.#isClosed) return;
    const { clock } = this.#environment;
    const at = clock.elapsed() + milliseconds;
    if (this.#timerAt <= at) return;
    this.#cancel?.();
    this.#timerAt = at;
    this.#cancel = clock.schedule(() => this.#due(), milliseconds);
  }

  /**
   * Writes unsaved values until the journal is empty or the timeout has passed. Values that the
   * source refuses wait for their next attempt.
   */
  async drain(timeout: number): Promise<void> {
    const { clock, appends } = this.#environment;
    const end = clock.elapsed() + timeout;
    while (clock.elapsed() < end) {
      const hasWritten = await this.#within(this.#roundOnce(Number.MAX_SAFE_INTEGER), end - clock.elapsed());
      if (hasWritten === undefined) return;
      if (hasWritten) continue;
      if (!appends.isBusy) {
        await this.#recount();
        if (this.#unsavedOfKnown === 0) return;
      }
      const pause = Math.min(drainPause, end - clock.elapsed());
      await new Promise<void>((resolve) => clock.schedule(resolve, pause, { keepsAlive: true }));
    }
  }

  /**
   * Stops. Resolves when the running round has ended or the timeout has passed. After the timeout,
   * the journal ends the round's claims by itself.
   */
  async close(timeout: number): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    if (this.#round === undefined || (await this.#within(this.#round, timeout)) !== undefined) return;
    this.#isAbandoned = true;
    this.#renewal?.stop();
  }

  /** Reads the numbers of records again. */
  async refreshCounts(): Promise<readonly JournalCount[]> {
    await this.#recount();
    return this.counts;
  }

  /** The classes with unsaved values that this process cannot write. */
  get unknown(): readonly JournalCount[] {
    const known = new Set(this.#environment.nodes());
    return this.counts.filter(({ node, unsaved }) => unsaved > 0 && !known.has(node));
  }

  get #unsavedOfKnown(): number {
    const known = new Set(this.#environment.nodes());
    return this.counts.reduce((sum, { node, unsaved }) => sum + (known.has(node) ? unsaved : 0), 0);
  }

  #due(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#cancel = undefined;
    void this.#roundOnce(0).then((hasMore) => this.#next(hasMore));
  }

  #next(hasMore: boolean): void {
    const { settings, calls, appends } = this.#environment;
    if (hasMore) this.schedule(0);
    else if (appends.size > 0 || appends.isBusy) this.schedule(settings.delay);
    else if (calls.journal.isShared) this.schedule(settings.pollInterval);
  }

  /** Makes a round, or joins the one that is under way. Returns whether there may be more to do. */
  async #roundOnce(ahead: number): Promise<boolean> {
    if (this.#round !== undefined) return await this.#round;
    this.#round = this.#makeRound(ahead);
    try {
      return await this.#round;
    } finally {
      this.#round = undefined;
    }
  }

  async #makeRound(ahead: number): Promise<boolean> {
    const { calls, settings, nodes, write } = this.#environment;
    try {
      const { lease, batchSize } = settings;
      const request = { nodes: nodes(), count: batchSize, duration: lease, ahead };
      const claims =
        request.nodes.length === 0 ? [] : await calls.make("claim", (journal) => journal.claim(request));
      if (claims.length === 0) {
        await this.#recountAtTimes();
        return false;
      }
      this.#renewal = this.#keep(claims);
      const outcomes = await write(claims)
        .catch((error: unknown) => claims.map(() => ({ error, isUnreadable: false })))
        .finally(() => this.#renewal?.stop());
      if (this.#isAbandoned) return false;
      await this.#settle(claims, outcomes);
      await this.#recountAtTimes();
      const hasProgressed = outcomes.some((outcome) => outcome === undefined);
      return hasProgressed && (ahead > 0 || claims.length === settings.batchSize);
    } catch {
      return false; // The calls have reported it. The claims end by themselves.
    }
  }

  /** Extends the claims while they are written. */
  #keep(claims: readonly JournalClaim[]): Renewal {
    const { clock, calls, settings } = this.#environment;
    let cancel: CancelTimer;
    const wait = () => {
      cancel = clock.schedule(() => {
        calls.make("extend", (journal) => journal.extend(claims, settings.lease)).catch(() => {});
        wait();
      }, settings.lease / 3);
    };
    wait();
    return { stop: () => cancel() };
  }

  async #settle(
    claims: readonly JournalClaim[],
    outcomes: readonly (ClaimOutcome | undefined)[],
  ): Promise<void> {
    const { calls, appends } = this.#environment;
    const completed = claims.filter((_, place) => outcomes[place] === undefined);
    const refused = claims.flatMap((claim, place) => {
      const outcome = outcomes[place];
      return outcome === undefined ? [] : [{ failure: this.#failure(claim, outcome), error: outcome.error }];
    });
    const failures = refused.map(({ failure }) => failure);
    if (completed.length > 0) await calls.make("complete", (journal) => journal.complete(completed));
    if (failures.length > 0) await calls.make("fail", (journal) => journal.fail(failures));
    appends.size = Math.max(0, appends.size - completed.length);
    appends.roomChanged();
    for (const { failure, error } of refused)
      if (failure.delay === undefined) this.#reportDead(failure, error);
    const soonest = Math.min(...failures.map(({ delay }) => delay ?? Number.POSITIVE_INFINITY));
    if (soonest !== Number.POSITIVE_INFINITY) this.schedule(soonest);
  }

  #failure(claim: JournalClaim, { error, isUnreadable }: ClaimOutcome): FailedClaim {
    const { settings, random } = this.#environment;
    const isDead = isUnreadable || claim.attempts + 1 >= settings.maxAttempts || isPoisonous(settings, error);
    const pause = Math.min(settings.retryDelay * 2 ** claim.attempts, settings.maxRetryDelay);
    const delay = isDead ? undefined : Math.ceil(pause * (0.5 + random() / 2));
    return { claim, reason: reasonOf(error), delay };
  }

  #reportDead({ claim, reason }: FailedClaim, error: unknown): void {
    const { events, calls } = this.#environment;
    const { node, key, attempts } = claim;
    if (events.listeners.deadLetter !== null) {
      events.emit("deadLetter", { journal: calls.name, node, key, attempts: attempts + 1, error });
    } else {
      process.emitWarning(
        `A value of ${node} in the journal "${calls.name}" was set aside after ${attempts + 1} attempts: ${reason}`,
        { type: "CachemeWarning", code: "CACHEME_DEAD_LETTER" },
      );
    }
  }

  async #recountAtTimes(): Promise<void> {
    const { clock, appends, settings } = this.#environment;
    const isNearlyFull = appends.size >= settings.maxSize;
    if (!isNearlyFull && clock.elapsed() - this.#countedAt < countEvery && appends.size > 0) return;
    await this.#recount();
  }

  async #recount(): Promise<void> {
    const { clock, calls, appends, events } = this.#environment;
    this.#countedAt = clock.elapsed();
    const before = appends.size;
    this.counts = await calls.make("count", (journal) => journal.counts());
    // Records that were appended since the count was sent may be counted twice, or not at all.
    const addedSince = Math.max(0, appends.size - before);
    appends.size = this.counts.reduce((sum, { unsaved }) => sum + unsaved, addedSince);
    appends.roomChanged();
    const { unknown } = this;
    if (unknown.length === 0 || clock.elapsed() - this.#reportedAt < reportEvery) return;
    this.#reportedAt = clock.elapsed();
    for (const { node, unsaved } of unknown) {
      if (events.listeners.unsavedWaiting !== null)
        events.emit("unsavedWaiting", { journal: calls.name, node, unsaved });
      else warnOfUnknown(calls.name, node, unsaved);
    }
  }

  async #within(round: Promise<boolean>, milliseconds: number): Promise<boolean | undefined> {
    const { clock } = this.#environment;
    return await new Promise((resolve) => {
      const cancel = clock.schedule(() => resolve(undefined), milliseconds, { keepsAlive: true });
      round.then(resolve, () => resolve(false)).finally(cancel);
    });
  }
}

function isPoisonous({ isPoison }: JournalSettings, error: unknown): boolean {
  try {
    return isPoison(error) === true;
  } catch {
    return false; // The user's function is no reason to lose sight of the value.
  }
}

function warnOfUnknown(journal: string, node: string, unsaved: number): void {
  process.emitWarning(
    `The journal "${journal}" has ${unsaved} unsaved values of ${node}, a class that this process has not used. They wait. List the ` +
      "class in the option `nodes` of registerJournal, or use it. If it is gone, look at them by journal(name).status().",
    { type: "CachemeWarning", code: "CACHEME_UNSAVED_WAITING" },
  );
}
