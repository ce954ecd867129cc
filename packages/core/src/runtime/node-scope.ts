import { checkedKey } from "../node/key.js";
import type { Node } from "../node/node.js";
import { type Scopes, scopedKey } from "../tags/scopes.js";

/** The scope of a class's nodes, which is a part of their keys. */
export class NodeScope {
  readonly #name: string;
  /** The last level of the path; `undefined` for the last one that a node gives. */
  readonly #level: string | undefined;
  readonly scopes: Scopes;

  private constructor(name: string, level: string | undefined, scopes: Scopes) {
    this.#name = name;
    this.#level = level;
    this.scopes = scopes;
  }

  /**
   * Returns the scope of a class; `undefined` if it has none.
   *
   * @param node one of the class's nodes
   * @param level the option `scopedTo` of the class
   * @throws ConfigurationError `CACHEME_INVALID_SCOPE` if the level is not defined
   */
  static for(node: Node, name: string, level: string | undefined, scopes: Scopes): NodeScope | undefined {
    if (level === undefined && typeof node.scope !== "function") return undefined;
    const subject = { what: `The option scopedTo of node "${name}"`, node: name };
    if (level !== undefined) scopes.checkLevel(level, subject);
    return new NodeScope(name, level, scopes);
  }

  /**
   * Returns the node's key with its path before it, so that no two scopes share an entry.
   *
   * @throws ConfigurationError `CACHEME_MISSING_SCOPE`, `CACHEME_INVALID_SCOPE`; KeyError
   *   `CACHEME_INVALID_KEY`
   */
  keyOf(node: Node): string {
    const key = checkedKey(node.key(), this.#name);
    const subject = { what: `The scope of node "${this.#name}"`, node: this.#name, key };
    return scopedKey(this.scopes.path(node.scope?.() ?? {}, this.#level, subject), key);
  }
}
