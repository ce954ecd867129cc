/**
 * A pattern for keys: literal texts, with any text (also none) between one and the next. Nothing in a literal text means
 * anything but itself, whatever a database's own patterns make of it.
 *
 * @example
 * ```ts
 * const users = KeyPattern.startingWith("app:user:");
 * const avatars = KeyPattern.of("app:user:", ":avatar"); // begins with the one and ends with the other
 * avatars.matches("app:user:7:avatar"); // true
 * ```
 */
export class KeyPattern {
  /** The literal texts in order. The first begins the key and the last ends it; both may be empty. */
  readonly literals: readonly string[];

  private constructor(literals: readonly string[]) {
    this.literals = literals;
  }

  /** A key that begins with the first text, ends with the last, and has the others between, in order. One text is itself. */
  static of(...literals: readonly [string, ...string[]]): KeyPattern {
    return new KeyPattern([...literals]);
  }

  static startingWith(prefix: string): KeyPattern {
    return new KeyPattern([prefix, ""]);
  }

  /** What every matching key begins with: for storages that keep their keys in order. */
  get prefix(): string {
    return this.literals[0] ?? "";
  }

  /** Whether the pattern is its prefix and any text after it. */
  get isPrefix(): boolean {
    return this.literals.length === 2 && this.literals[1] === "";
  }

  /**
   * The pattern's first and last literal. Every key that matches the pattern matches its outline too. Hand the outline to a
   * server whose matcher backtracks, and filter the answer with {@link matches}: each further literal may multiply the
   * server's work by the key's length.
   */
  get outline(): KeyPattern {
    const { literals } = this;
    return literals.length <= 2 ? this : new KeyPattern([this.prefix, literals.at(-1) ?? ""]);
  }

  /**
   * Takes the first place of each literal and never returns to it, because a later place leaves less of the key for the
   * literals that follow. So a key is read once, however many literals there are.
   */
  matches(key: string): boolean {
    const { literals, prefix } = this;
    if (literals.length === 1) return key === prefix;
    if (!key.startsWith(prefix)) return false;
    const last = literals.length - 1;
    let place = prefix.length;
    for (let index = 1; index < last; index++) {
      const literal = literals[index] ?? "";
      const found = key.indexOf(literal, place);
      if (found === -1) return false;
      place = found + literal.length;
    }
    const end = literals[last] ?? "";
    return key.length - end.length >= place && key.endsWith(end);
  }

  /** As a pattern of Redis: `*` for any text, `*`, `?`, `[`, `]`, `^` and `\` escaped by `\`. */
  glob(): string {
    return this.#join("*", /[*?[\]^\\]/g, "\\$&");
  }

  /** As a pattern of SQL's LIKE with the escape character `\`. Whether LIKE minds the case is the database's business. */
  like(): string {
    return this.#join("%", /[%_\\]/g, "\\$&");
  }

  /**
   * As the source of a regular expression that a whole key must match, with `.` meaning any character. Engines that
   * backtrack need the {@link outline}'s: three literals and a long key keep them busy for hours.
   */
  regExp(): string {
    return `^${this.#join(".*", /[\\^$.*+?()[\]{}|/-]/g, "\\$&")}$`;
  }

  /** For messages: `app:user:*`. */
  toString(): string {
    return this.literals.join("*");
  }

  #join(any: string, special: RegExp, escaped: string): string {
    return this.literals.map((literal) => literal.replace(special, escaped)).join(any);
  }
}
