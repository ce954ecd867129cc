import type { Duration } from "./duration.js";
import type { Journal } from "./journal/journal.js";
import { checkPairs } from "./node/checked-list.js";
import type { Node } from "./node/node.js";
import type { SetOptions } from "./node/options.js";
import { refuseSetOptions } from "./node/set-options.js";
import type { ValueOf } from "./node/value-of.js";
import { refuseUnknownOptions, timerMilliseconds } from "./option-checks.js";
import { Space } from "./space.js";
import type { SpaceParts } from "./space-parts.js";
import type { RegisterJournalOptions } from "./write/write-behind/journal-options.js";
import type { FlushResult, RegisteredJournal } from "./write/write-behind/registered-journal.js";

/** The options of `flush`. */
export interface FlushOptions {
  /** The longest time. Default: 10 seconds. */
  readonly timeout?: Duration | undefined;
}

/** The methods of a space that write into sources. */
export abstract class SavingSpace extends Space {
  readonly #parts: SpaceParts;

  /** @internal */
  constructor(parts: SpaceParts) {
    super(parts);
    this.#parts = parts;
  }

  /**
   * Writes the value into the node's source by its `save`, and then into every tier. If the class
   * has `write: "around"`, the tiers drop the key instead. Once it has resolved, no later read in
   * this process gets an older value.
   *
   * Saves of one key run in the order of their calls. Saves of one tick share one call of the
   * class's `saveAll`, if it has one. If the source fails, the tiers stay as they are.
   *
   * @param options as for `set`
   * @throws any error of the source
   * @throws SaveError `CACHEME_NO_SAVE` if the class has neither `save` nor `saveAll`;
   *   `CACHEME_SAVE_CYCLE` if the source of a save saves the same key again.
   *   `CACHEME_SAVE_TIMEOUT` if the source took too long: it may have the value, so the tiers drop
   *   the key
   *   `CACHEME_JOURNAL_FULL` or `CACHEME_JOURNAL_FAILED` if the journal has not taken the value
   * @throws SerializationError `CACHEME_NOT_SERIALIZABLE` if a tier cannot carry the value; then
   *   nothing is written
   * @throws IncompleteError `CACHEME_WRITE_INCOMPLETE` if the source has the value, and a remote tier
   *   that could not be reached may have an older one. Its removal is repeated until it succeeds
   * @example
   * ```ts
   * await save(new UserNode(1), { id: 1, name: "Ada" });
   * ```
   */
  async save<N extends Node>(node: N, value: NoInfer<ValueOf<N>>, options: SetOptions = {}): Promise<void> {
    refuseSetOptions("save", options);
    await this.#save(node, value, options);
  }

  /**
   * Saves the values of many nodes; see {@link save}. If one fails, the others are still saved.
   *
   * @throws the error of {@link save}, for the first node that fails
   * @example
   * ```ts
   * await saveAll([[new UserNode(1), ada], [new UserNode(2), alan]]);
   * ```
   */
  async saveAll<const Ns extends readonly Node[]>(
    entries: { readonly [I in keyof Ns]: readonly [node: Ns[I], value: NoInfer<ValueOf<Ns[I]>>] },
    options: SetOptions = {},
  ): Promise<void> {
    checkPairs("saveAll", entries);
    refuseSetOptions("saveAll", options);
    const saves = entries.map(([node, value]) => this.#save(node, value, options));
    for (const outcome of await Promise.allSettled(saves)) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
  }

  /**
   * Gives a journal a name that classes with `write: "behind"` use. Wait for it before their first
   * use. Values that an earlier process has left in it are written from now on, if their class is
   * listed or used.
   *
   * @returns the journal, to flush it, and to look at its state and its dead letters
   * @throws ConfigurationError `CACHEME_DUPLICATE_JOURNAL` if another journal has the name, or if a
   *   space that is not closed has the journal; `CACHEME_INVALID_OPTION` for an invalid option
   * @throws StorageError `CACHEME_CONNECT_FAILED` if the journal cannot be connected; then the name is
   *   free again
   * @example
   * ```ts
   * await registerJournal("writes", sqliteJournal("writes.db"), { nodes: [UserNode] });
   * ```
   */
  async registerJournal(
    name: string,
    journal: Journal,
    options: RegisterJournalOptions = {},
  ): Promise<RegisteredJournal> {
    this.refuseClosed("registerJournal was called");
    return await this.#parts.journals.register(name, journal, options, (nodeClass) =>
      this.#parts.runtimes.of(Object.create(nodeClass.prototype)),
    );
  }

  /**
   * Returns the registered journals.
   *
   * @example
   * ```ts
   * for (const journal of journals()) console.log(journal.name, await journal.status());
   * ```
   */
  journals(): readonly RegisteredJournal[] {
    return this.#parts.journals.list();
  }

  /**
   * Writes all unsaved values of all journals into their sources, without waiting for newer ones.
   * Resolves when the journals are empty or the timeout has passed, and returns the values that are
   * left.
   *
   * @param options `timeout`: the longest time. Default: 10 seconds
   * @throws SaveError `CACHEME_JOURNAL_FAILED` if a journal cannot be reached
   * @example
   * ```ts
   * const { unsaved } = await flush({ timeout: "5s" });
   * ```
   */
  async flush(options: FlushOptions = {}): Promise<FlushResult> {
    refuseUnknownOptions(options, ["timeout"], "flush()");
    const { timeout = "10s" } = options;
    const limit = timerMilliseconds(timeout, "option timeout of flush()");
    const results = await Promise.all(this.#parts.journals.list().map((journal) => journal.flush(limit)));
    return {
      unsaved: results.reduce((sum, { unsaved }) => sum + unsaved, 0),
      deadLetters: results.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    };
  }

  async #save(node: Node, value: unknown, options: SetOptions): Promise<void> {
    const runtime = this.#parts.runtimes.of(node);
    await this.#parts.saver.save({ runtime, node, key: runtime.keyOf(node), value }, options);
  }
}
