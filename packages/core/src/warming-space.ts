import { FreshSpace } from "./fresh-space.js";
import type { SpaceParts } from "./space-parts.js";
import type { WarmOptions } from "./warm/warm-options.js";
import type { Warmable, Warmer, WarmReport } from "./warm/warmer.js";

/** The methods of a space that load values before they are read. */
export abstract class WarmingSpace extends FreshSpace {
  readonly #warmer: Warmer;

  constructor(parts: SpaceParts) {
    super(parts);
    this.#warmer = parts.warmer;
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
}
