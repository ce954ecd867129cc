import { ConfigurationError, typeName } from "./errors.js";
import type { Token } from "./node/reads.js";

/** The things that a space provides to its loads, by token. */
export class Provided {
  readonly #things = new Map<Token<unknown>, unknown>();

  /**
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` if the token is neither a class nor a
   *   symbol
   */
  set<T>(token: Token<T>, thing: T): void {
    if (typeof token !== "function" && typeof token !== "symbol") {
      throw new ConfigurationError(
        "CACHEME_INVALID_OPTION",
        `provide expected a class or a symbol as its token, got ${typeName(token)}. Give the class of the thing.`,
      );
    }
    this.#things.set(token, thing);
  }

  /** @throws ConfigurationError `CACHEME_NOT_PROVIDED` if the space has nothing under the token */
  of<T>(token: Token<T>): T {
    if (this.#things.has(token)) return this.#things.get(token) as T; // `set` took a T under this token.
    throw new ConfigurationError(
      "CACHEME_NOT_PROVIDED",
      `A load called inject(${nameOf(token)}), but its space provides nothing under that token. Call ` +
        `provide(${nameOf(token)}, …) on that space before the first read.`,
    );
  }
}

function nameOf(token: unknown): string {
  if (typeof token === "function") return token.name === "" ? "a class without a name" : token.name;
  return typeof token === "symbol" ? String(token) : typeName(token);
}
