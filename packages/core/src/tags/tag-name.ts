import { Buffer } from "node:buffer";
import { ConfigurationError, typeName } from "../errors.js";
import { grouped } from "../grouped.js";
import { shownKey } from "../shown-key.js";

/** The length of the longest tag in bytes. Its storage key then fits every storage. */
const longestTag = 200;

/** The most tags that the user gives to one entry. */
export const mostTags = 64;

/** The first character of the tags that Cacheme makes itself: of scopes, classes and dependencies. */
export const ownMark = "~";

/** As in keys: control characters, and halves of surrogate pairs. */
const unusable = /[\p{Cc}\p{Cs}]/u;

/** The subject of an error: a node, if a node has the tag. */
export interface TagSubject {
  /** The beginning of the message, such as `tags() of user:1`. */
  readonly what: string;
  readonly node?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * Checks a tag that a user gives.
 *
 * @throws ConfigurationError `CACHEME_INVALID_TAG`
 */
export function checkTag(tag: unknown, { what, node, key }: TagSubject): string {
  const isString = typeof tag === "string";
  // A UTF-16 unit takes three bytes at most, so short tags are not measured.
  const fits = isString && (tag.length * 3 <= longestTag || Buffer.byteLength(tag) <= longestTag);
  if (fits && tag !== "" && !tag.startsWith(ownMark) && !unusable.test(tag)) return tag;
  throw new ConfigurationError(
    "CACHEME_INVALID_TAG",
    `${what} expected a tag of 1 to ${longestTag} bytes, without control characters and without "${ownMark}" at its ` +
      `beginning, got ${isString ? shownKey(tag) : typeName(tag)}. Give a short string such as "team:7".`,
    { node, key },
  );
}

/**
 * Checks a list of tags, and drops repeats.
 *
 * @throws ConfigurationError `CACHEME_INVALID_TAG`, `CACHEME_TOO_MANY_TAGS`
 */
export function checkTags(tags: unknown, subject: TagSubject): readonly string[] {
  const { what, node, key } = subject;
  if (!Array.isArray(tags)) {
    throw new ConfigurationError(
      "CACHEME_INVALID_TAG",
      `${what} expected a list of tags, got ${typeName(tags)}. Give a list such as ["team:7"].`,
      { node, key },
    );
  }
  if (tags.length > mostTags) throw tooManyTags(tags.length, subject);
  for (const tag of tags) checkTag(tag, subject);
  return tags.length < 2 ? tags : [...new Set<string>(tags)];
}

/** Returns the error of an entry with too many tags. */
export function tooManyTags(count: number, { what, node, key }: TagSubject): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_TOO_MANY_TAGS",
    `${what} expected at most ${mostTags} tags, got ${grouped(count)}. Each read compares all of them: give an entry one tag for ` +
      "each group in which it is invalidated.",
    { node, key },
  );
}
