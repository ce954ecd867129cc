import type { Node } from "../node/node.js";
import { optionError, shown } from "../option-checks.js";
import { KeyPattern } from "../storage/key-pattern.js";

/** A node that was loaded, as a rule of `relate` gets it. */
export interface RelatedRead {
  /** The name of the node class. */
  readonly name: string;
  readonly key: string;
  readonly node: Node;
  /** The loaded value. Its readers may have it, too, so do not change it. */
  readonly value: unknown;
}

/** Returns the nodes that are likely to be read soon after a node. */
export type RelatedRule = (read: RelatedRead) => readonly Node[];

interface Rule {
  readonly pattern: KeyPattern;
  readonly toNodes: RelatedRule;
}

/** The rules of a space about nodes that are read together. */
export class RelatedRules {
  #rules: readonly Rule[] = [];

  get areEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /**
   * Adds a rule, and returns what removes it.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION`
   */
  add(pattern: string, toNodes: RelatedRule): () => void {
    const parsed = KeyPattern.parse(pattern);
    if (typeof toNodes !== "function")
      throw optionError(
        `relate(${shown(pattern)}, …) expected a function that returns nodes, got ${shown(toNodes)}. ` +
          'Write relate("user:*", ({ key }) => [new PostsNode(key)]).',
      );
    const rule: Rule = { pattern: parsed, toNodes };
    this.#rules = [...this.#rules, rule];
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule);
    };
  }

  /** The functions of the rules that match. */
  *matching({ name, key }: RelatedRead): Generator<RelatedRule> {
    const text = `${name}:${key}`;
    for (const { pattern, toNodes } of this.#rules) if (pattern.matches(text)) yield toNodes;
  }
}
