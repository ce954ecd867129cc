import { FreshSpace } from "./fresh-space.js";
import type { Node } from "./node/node.js";
import type { Prefetches } from "./prefetch/prefetches.js";
import type { RelatedRule } from "./prefetch/related-rules.js";
import type { ClassRuntimes } from "./runtime/class-runtimes.js";
import type { Suggestion } from "./runtime/learned-reads.js";
import type { SpaceParts } from "./space-parts.js";
import type { WarmScheduleOptions } from "./warm/schedule-options.js";
import type { WarmSchedule } from "./warm/schedule-status.js";
import type { WarmOptions } from "./warm/warm-options.js";
import type { Warmable, WarmReport } from "./warm/warm-report.js";
import type { SchedulePlaces, Warmer } from "./warm/warmer.js";

/** The methods of a space that load values before they are read. */
export abstract class WarmingSpace extends FreshSpace {
  readonly #warmer: Warmer;
  readonly #places: SchedulePlaces;
  readonly #prefetches: Prefetches;
  readonly #runtimes: ClassRuntimes;

  /** @internal */
  constructor(parts: SpaceParts) {
    super(parts);
    this.#warmer = parts.warmer;
    this.#prefetches = parts.prefetches;
    this.#runtimes = parts.runtimes;
    this.#places = {
      storage: (name) => parts.storages.get(name),
      beforeEntry: () => parts.runtimes.keys.beforeEntry,
    };
  }

  /**
   * Loads the nodes that no tier has, in batches, before anybody asks for them. It skips those that
   * are fresh, so a second call goes on where the first one ended. It keeps a few batches in memory
   * only, so an iterator may give millions of nodes.
   *
   * @returns the number of values that were loaded, were fresh, and failed. A failure ends nothing
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid option,
   *   `CACHEME_MISSING_PACKAGE` for `progressBar` without its package. Once the batches under way
   *   have ended: the reason of `signal`, and the errors of the iterator and of `onProgress`
   * @example
   * ```ts
   * const { warmed, fresh, failed } = await warm(ids.map((id) => new UserNode(id)), { rate: 5_000 });
   * ```
   */
  warm(nodes: Warmable, options: WarmOptions = {}): Promise<WarmReport> {
    return this.#warmer.warm(nodes, options);
  }

  /**
   * Warms nodes again and again, by a cron pattern; see {@link warm}. With a `storage`, one process
   * of a cluster runs each time, by a lease. The schedule ends with `stop()` or with the space, and
   * keeps no program alive. A run that fails ends nothing. It needs the package `croner`.
   *
   * @param nodes called for each run
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid pattern or option,
   *   `CACHEME_UNKNOWN_STORAGE`, `CACHEME_NOT_OFFERED` for a storage without leases,
   *   `CACHEME_MISSING_PACKAGE` without croner
   * @example
   * ```ts
   * const schedule = await warmOnSchedule("*\/5 * * * *", () => ids.map((id) => new UserNode(id)));
   * console.log(schedule.status().lastReport?.warmed);
   * ```
   */
  warmOnSchedule(
    pattern: string,
    nodes: () => Warmable | Promise<Warmable>,
    options: WarmScheduleOptions = {},
  ): Promise<WarmSchedule> {
    return this.#warmer.schedule(pattern, nodes, options, this.#places);
  }

  /**
   * Adds a rule about nodes that are read together. After a miss of a node whose `name:key` matches
   * the pattern, the nodes of the function are loaded in the background, as those of
   * {@link Node.related} are. In the pattern `*` stands for any string, and `\*` for a star.
   *
   * @returns a function that removes the rule
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid pattern, or without a function
   * @example
   * ```ts
   * const stop = relate("user:*", ({ key }) => [new PostsNode(Number(key))]);
   * ```
   */
  relate(pattern: string, toNodes: RelatedRule): () => void {
    return this.#prefetches.rules.add(pattern, toNodes);
  }

  /**
   * Returns the nodes that were read after a node, the likeliest first, at most 8. The node's class
   * learns them by `prefetch: { learn: true }`; for another class the list is empty.
   *
   * @example
   * ```ts
   * for (const { node, probability } of suggestions(new UserNode(1))) console.log(node.key(), probability);
   * ```
   */
  suggestions(node: Node): Suggestion[] {
    const runtime = this.#runtimes.of(node);
    return runtime.kind.learned?.after(runtime.keyOf(node)) ?? [];
  }
}
