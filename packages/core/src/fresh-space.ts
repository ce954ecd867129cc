import type { KeepAwake } from "./background.js";
import { asError, IncompleteError } from "./errors.js";
import type { Node } from "./node/node.js";
import { touchEntries } from "./read/touch.js";
import { SavingSpace } from "./saving-space.js";
import type { SpaceParts } from "./space-parts.js";
import { pendingCommit } from "./write/after-commit.js";
import { invalidate, type Removal } from "./write/invalidate.js";

/** The methods of a space that end the freshness of values, or their lives. */
export abstract class FreshSpace extends SavingSpace {
  readonly #parts: SpaceParts;

  /** @internal */
  constructor(parts: SpaceParts) {
    super(parts);
    this.#parts = parts;
  }

  /**
   * Removes the nodes from every tier. Once it has resolved, no later read in this process is
   * answered with a value whose load began before. Reads under way are answered, and their loaded
   * values are not stored.
   *
   * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote tier could not be
   *   reached; the others are done. The removal is repeated until it succeeds, and the error's
   *   `settled` resolves then
   * @example
   * ```ts
   * await db.rename(1, "Ada");
   * await invalidate(new UserNode(1));
   * await invalidate(ids.map((id) => new UserNode(id)));
   * ```
   */
  invalidate(nodes: readonly Node[]): Promise<void>;
  invalidate(...nodes: readonly Node[]): Promise<void>;
  invalidate(...given: readonly (Node | readonly Node[])[]): Promise<void> {
    try {
      const removals = this.#keyed(given.flat());
      const commit = pendingCommit(this.#parts.runtimes);
      if (commit !== undefined) return commit.remove(removals);
      return invalidate(removals, this.#parts.clock, this.#parts.events, this.#parts.dependents);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Removes the nodes from every tier, as {@link invalidate} does, and returns at once. It never
   * throws and never rejects, so a storage that is down cannot end the process. A failure is
   * reported by the event `invalidateError`. If nobody listens, a process warning reports it,
   * unless it is an {@link IncompleteError}: then the removal is repeated until it succeeds.
   *
   * @example
   * ```ts
   * changes.on("user", (id) => invalidateSoon(new UserNode(id)));
   * ```
   */
  invalidateSoon(nodes: readonly Node[]): void;
  invalidateSoon(...nodes: readonly Node[]): void;
  invalidateSoon(...given: readonly (Node | readonly Node[])[]): void {
    this.invalidate(...(given as readonly Node[])).catch((thrown: unknown) => {
      const error = asError(thrown);
      if (this.#parts.events.listeners.invalidateError !== null)
        this.#parts.events.emit("invalidateError", { error });
      else if (!(error instanceof IncompleteError)) {
        process.emitWarning(`invalidateSoon failed: ${error.message}`, "CachemeWarning");
      }
    });
  }

  /**
   * Makes the nodes' values stale now, in every tier. Readers get them as after their ttl: while they
   * are loaded again, by the option `staleWhileRevalidate`, or instead of a load's error, by
   * `staleIfError`. Loads under way answer their readers, and store nothing.
   *
   * The value of a class without those options is removed, as by `invalidate`. So is a value that is
   * being replaced or removed by another call, and every value that depends on the node. Other
   * processes drop their local entries, and read the stale value from the remote tiers.
   *
   * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a remote tier could not be reached;
   *   the others are done. The value is removed there as soon as the tier answers
   * @example
   * ```ts
   * await expire(new UserNode(1));
   * ```
   */
  expire(nodes: readonly Node[]): Promise<void>;
  expire(...nodes: readonly Node[]): Promise<void>;
  expire(...given: readonly (Node | readonly Node[])[]): Promise<void> {
    try {
      return invalidate(
        this.#keyed(given.flat()),
        this.#parts.clock,
        this.#parts.events,
        this.#parts.dependents,
        "expire",
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Restarts the idle time of a node's entries, in every tier, without loading a value: as a read
   * does for a class with `idle`. A ttl does not restart, because it bounds the value's age.
   *
   * @returns whether a tier has an entry that a read would find
   * @throws ConfigurationError `CACHEME_NOT_IDLE` for a class without `idle`
   * @throws StorageError if no tier is known to have an entry, and one could not be asked
   * @example
   * ```ts
   * if (!(await touch(new SessionNode("s1")))) signOut();
   * ```
   */
  async touch(node: Node): Promise<boolean> {
    const runtime = this.#parts.runtimes.of(node);
    return await touchEntries(runtime, node, runtime.keyOf(node), this.#parts.clock);
  }

  /**
   * Sets the function that keeps the host awake, such as `after` of Next.js or `waitUntil` of a
   * serverless platform. It gets a promise for each piece of work that no reader waits for: loads in
   * the background, fills and touches behind a reader, and removals that are repeated. The promise
   * never rejects. `undefined` removes the function.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for anything but a function
   * @example
   * ```ts
   * setBackground((work) => waitUntil(work));
   * ```
   */
  setBackground(background: KeepAwake | undefined): void {
    this.#parts.background.use(background);
  }

  #keyed(nodes: readonly Node[]): Removal[] {
    return nodes.map((node) => {
      const runtime = this.#parts.runtimes.of(node);
      return { runtime, key: runtime.keyOf(node) };
    });
  }
}
