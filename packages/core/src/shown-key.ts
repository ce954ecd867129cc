import { grouped } from "./grouped.js";

/** The length at which keys are cut in messages, because a key may have millions of characters. */
const longestShown = 100;

/**
 * Characters that would change the look of a line, or forge another line. They are control
 * characters, line separators, invisible characters, those that change the direction of writing,
 * and halves of surrogate pairs.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Returns a key as messages show it, in quotes: escaped, and cut to 100 characters. For authors of
 * storages.
 *
 * @example
 * ```ts
 * throw new Error(`The record ${shownKey(key)} is too large.`);
 * ```
 */
export function shownKey(key: string): string {
  const { text, rest } = cut(key);
  return `"${text.replace(/["\\]/g, "\\$&").replace(unprintable, escaped)}"${rest}`;
}

/** Returns the same without quotes, for a key that follows the name of its node. */
export function bareKey(key: string): string {
  const { text, rest } = cut(key);
  return text.replace(unprintable, escaped) + rest;
}

function cut(key: string): { readonly text: string; readonly rest: string } {
  if (key.length <= longestShown) return { text: key, rest: "" };
  // Does not cut between the halves of a pair.
  const end = /[\ud800-\udbff]/.test(key.charAt(longestShown - 1)) ? longestShown - 1 : longestShown;
  return { text: key.slice(0, end), rest: `… (${grouped(key.length)} characters)` };
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
