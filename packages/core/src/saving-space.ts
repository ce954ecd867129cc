import { checkList } from "./node/checked-list.js";
import type { Node } from "./node/node.js";
import type { SetOptions } from "./node/options.js";
import type { ValueOf } from "./node/value-of.js";
import type { ClassRuntimes } from "./runtime/class-runtimes.js";
import { Space } from "./space.js";
import type { SpaceParts } from "./space-parts.js";
import type { Saver } from "./write/save.js";

/** The methods of a space that write into sources. */
export abstract class SavingSpace extends Space {
  readonly #runtimes: ClassRuntimes;
  readonly #saver: Saver;

  constructor(parts: SpaceParts) {
    super(parts);
    this.#runtimes = parts.runtimes;
    this.#saver = parts.saver;
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
   *   `CACHEME_SAVE_TIMEOUT` if the source took too long: it may have the value, so the tiers drop
   *   the key
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
    checkList("saveAll", entries);
    const saves = entries.map(([node, value]) => this.#save(node, value, options));
    for (const outcome of await Promise.allSettled(saves)) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
  }

  async #save(node: Node, value: unknown, options: SetOptions): Promise<void> {
    const runtime = this.#runtimes.of(node);
    await this.#saver.save({ runtime, node, key: runtime.keyOf(node), value }, options);
  }
}
