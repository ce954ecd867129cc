import { ConfigurationError, typeName } from "../errors.js";
import { shownKey } from "../shown-key.js";
import { longestStoredKey } from "./stored-key.js";

/**
 * A pattern for keys: literal strings, with any string (also an empty one) between them. Every
 * character of a literal only stands for itself, even if it is special in a database's own
 * patterns.
 *
 * @example
 * ```ts
 * const users = KeyPattern.startingWith("app:user:");
 * const avatars = KeyPattern.of("app:user:", ":avatar"); // begins with the first, ends with the second
 * avatars.matches("app:user:7:avatar"); // true
 * ```
 */
export class KeyPattern {
  /**
   * The literal strings in order. The first begins the key and the last ends it; both may be empty.
   */
  readonly literals: readonly string[];

  private constructor(literals: readonly string[]) {
    this.literals = literals;
  }

  /**
   * Makes a pattern for keys. They begin with the first string, end with the last, and have the
   * others between, in order. A single string only matches itself.
   */
  static of(...literals: readonly [string, ...string[]]): KeyPattern {
    return new KeyPattern([...literals]);
  }

  /**
   * Reads a pattern as people write it: `*` stands for any string, also an empty one. `\\` before a
   * character takes its meaning away: `\\*` is a star.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` unless it is a string of 1 to 2,000
   *   characters that does not end in the middle of an escape
   * @example
   * ```ts
   * KeyPattern.parse("user:*:avatar").matches("user:7:avatar"); // true
   * ```
   */
  static parse(text: string): KeyPattern {
    const isReadable = typeof text === "string" && text !== "" && text.length <= longestStoredKey;
    const literals: [string, ...string[]] = [""];
    let isEscaped = false;
    for (const character of isReadable ? text : "") {
      if (isEscaped || (character !== "*" && character !== "\\")) {
        literals.push((literals.pop() ?? "") + character);
        isEscaped = false;
      } else if (character === "*") literals.push("");
      else isEscaped = true;
    }
    if (isReadable && !isEscaped) return new KeyPattern(literals);
    throw new ConfigurationError(
      "CACHEME_INVALID_OPTION",
      `Expected a pattern of 1 to ${longestStoredKey} characters, such as "user:*", with "\\\\" before a character that stands ` +
        `for itself, got ${typeof text === "string" ? shownKey(text) : typeName(text)}.`,
    );
  }

  static startingWith(prefix: string): KeyPattern {
    return new KeyPattern([prefix, ""]);
  }

  /** The beginning of every matching key, for storages that keep their keys in order. */
  get prefix(): string {
    return this.literals[0] ?? "";
  }

  /** Whether the pattern is its prefix and any string after it. */
  get isPrefix(): boolean {
    return this.literals.length === 2 && this.literals[1] === "";
  }

  /**
   * The pattern's first and last literal. Every key that matches the pattern matches its outline
   * too. Send the outline to a server whose matcher backtracks, and filter the answer with
   * {@link matches}. Each further literal may multiply the server's work by the key's length.
   */
  get outline(): KeyPattern {
    const { literals } = this;
    return literals.length <= 2 ? this : new KeyPattern([this.prefix, literals.at(-1) ?? ""]);
  }

  /**
   * Returns whether the key matches. Takes the first place of each literal and never returns to it.
   * A later place leaves less of the key. So a key is read once, however many literals there are.
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

  /**
   * Returns the pattern for Redis: `*` for any string; `*`, `?`, `[`, `]`, `^` and `\` escaped by
   * `\`.
   */
  glob(): string {
    return this.#join("*", /[*?[\]^\\]/g, "\\$&");
  }

  /**
   * Returns the pattern for SQL's LIKE with the escape character `\`. The database decides whether
   * LIKE is case-sensitive.
   */
  like(): string {
    return this.#join("%", /[%_\\]/g, "\\$&");
  }

  /**
   * Returns the source of a regular expression that a whole key must match, with `.` meaning any
   * character. If the engine backtracks, use the {@link outline}'s: three literals and a long key
   * keep it busy for hours.
   */
  regExp(): string {
    return `^${this.#join(".*", /[\\^$.*+?()[\]{}|/-]/g, "\\$&")}$`;
  }

  /** Returns the pattern for messages: `app:user:*`. */
  toString(): string {
    return this.literals.join("*");
  }

  #join(any: string, special: RegExp, escaped: string): string {
    return this.literals.map((literal) => literal.replace(special, escaped)).join(any);
  }
}
