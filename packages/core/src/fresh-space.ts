import type { Background, KeepAwake } from "./background.js";
import type { Clock } from "./clock.js";
import type { Events } from "./events.js";
import type { Node } from "./node/node.js";
import type { ClassRuntimes } from "./runtime/class-runtimes.js";
import { SavingSpace } from "./saving-space.js";
import type { SpaceParts } from "./space-parts.js";
import type { Dependents } from "./write/dependents.js";
import { invalidate } from "./write/invalidate.js";

/** The methods of a space that concern the freshness of values. */
export abstract class FreshSpace extends SavingSpace {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #runtimes: ClassRuntimes;
  readonly #dependents: Dependents;
  readonly #background: Background;

  /** @internal */
  constructor(parts: SpaceParts) {
    super(parts);
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#runtimes = parts.runtimes;
    this.#dependents = parts.dependents;
    this.#background = parts.background;
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
      const nodes = given.flat().map((node) => {
        const runtime = this.#runtimes.of(node);
        return { runtime, key: runtime.keyOf(node) };
      });
      return invalidate(nodes, this.#clock, this.#events, this.#dependents, "expire");
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sets the function that keeps the host awake, such as `after` of Next.js or `waitUntil` of a
   * serverless platform. It gets a promise for each piece of work that no reader waits for: loads in
   * the background, fills behind a reader, and removals that are repeated. The promise never rejects.
   * `undefined` removes the function.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for anything but a function
   * @example
   * ```ts
   * setBackground((work) => waitUntil(work));
   * ```
   */
  setBackground(background: KeepAwake | undefined): void {
    this.#background.use(background);
  }
}
