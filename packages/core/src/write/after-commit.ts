import type { MaybePromise } from "../node/value-of.js";
import { optionError, shown } from "../option-checks.js";
import { sharedState } from "../shared-state.js";
import type { Removal } from "./invalidate.js";

/** The work after a commit. */
export interface Committed {
  readonly removals: readonly Removal[];
  readonly tags: readonly string[];
  readonly tasks: readonly (() => Promise<void>)[];
}

/** The invalidations that wait for the end of a database transaction. */
export class PendingCommit {
  /** The space of the transaction. Each space has its own pending invalidations. */
  readonly #space: object;
  readonly #outer: PendingCommit | undefined;
  readonly #removals: Removal[] = [];
  readonly #tags: string[] = [];
  readonly #tasks: (() => Promise<void>)[] = [];
  #isOpen = true;

  constructor(space: object, outer: PendingCommit | undefined) {
    this.#space = space;
    this.#outer = outer;
  }

  /** Returns the innermost open transaction of the space. */
  of(space: object): PendingCommit | undefined {
    return this.#space === space && this.#isOpen ? this : this.#outer?.of(space);
  }

  /** Invalidates the keys after the commit. */
  async remove(removals: readonly Removal[]): Promise<void> {
    for (const removal of removals) this.#removals.push(removal);
  }

  /** Invalidates the tags after the commit. */
  invalidateTags(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.push(tag);
  }

  /** Runs the task after the commit. */
  after(task: () => Promise<void>): void {
    this.#tasks.push(task);
  }

  /** Ends it. If the transaction is one within another, the outer one takes the invalidations over. */
  committed(): Committed {
    this.#isOpen = false;
    const removals = this.#removals;
    const tags = this.#tags;
    const tasks = this.#tasks;
    const outer = this.#outer?.of(this.#space);
    if (outer === undefined) return { removals, tags, tasks };
    void outer.remove(removals);
    outer.invalidateTags(tags);
    for (const task of tasks) outer.after(task);
    return { removals: [], tags: [], tasks: [] };
  }

  /** Ends it without its work, and returns the keys that it has noted. */
  rolledBack(): readonly Removal[] {
    this.#isOpen = false;
    return this.#removals;
  }
}

/** Returns the transaction in which the caller runs, if the space has one. */
export function pendingCommit(space: object): PendingCommit | undefined {
  return sharedState.commitsRunning === 0 ? undefined : currentCommit()?.of(space);
}

function currentCommit(): PendingCommit | undefined {
  // Copies of this package with one contract have the same transactions.
  return sharedState.commitFrames.getStore() as PendingCommit | undefined;
}

/**
 * Runs the body as a transaction of the space.
 *
 * @param undo gets the keys of a transaction that is rolled back, because reads within it may have
 *   stored uncommitted values
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` if the body is no function
 */
export async function inCommit<T>(
  space: object,
  body: () => MaybePromise<T>,
  undo: (removals: readonly Removal[]) => Promise<unknown>,
): Promise<{ readonly answer: T; readonly commit: PendingCommit }> {
  if (typeof body !== "function") {
    throw optionError(
      `afterCommit expected a function that runs the transaction, got ${shown(body)}. ` +
        "Give one, as in afterCommit(() => db.transaction(async (tx) => { … })).",
    );
  }
  const commit = new PendingCommit(space, currentCommit());
  sharedState.commitsRunning += 1;
  try {
    const answer = await sharedState.commitFrames.run(commit, async () => await body());
    return { answer, commit };
  } catch (error) {
    await undo(commit.rolledBack());
    throw error;
  } finally {
    sharedState.commitsRunning -= 1;
    // While a context is in use, Node 20 makes each `await` slower.
    if (sharedState.commitsRunning === 0) sharedState.commitFrames.disable();
  }
}
