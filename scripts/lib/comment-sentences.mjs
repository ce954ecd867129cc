import { parseSync } from "rolldown/utils";

/**
 * A sentence of a comment.
 *
 * @typedef {object} Sentence
 * @property {string} text on one line, with inline code replaced by `code`
 * @property {number} line the line of the comment, counted from 1
 */

/** Comments for tools, not for readers. A reason behind `biome-ignore RULE:` is for readers. */
const directive = /^\s*(?:\/\s*<reference|@ts-|[#@]__|@vite-ignore|webpack\w+:)/;
const suppression = /^\s*biome-ignore(?:-\w+)?\s+[^:]*:/;

/** Block tags with code, or with prose of others. */
const codeTag = /^@(?:example|license|copyright|type|import)\b/;

/**
 * Returns the sentences of a source file's comments. Code samples are left out: fenced blocks, `@example` blocks and
 * inline code. A phrase of fewer than three words is no sentence.
 *
 * @param {string} file its ending decides how the text is parsed
 * @param {string} source
 * @returns {Sentence[]}
 * @throws {Error} if the source does not parse
 */
export function commentSentences(file, source) {
  const { comments, errors } = parseSync(file, source);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file} does not parse: ${error.message}`);

  return joinLineComments(comments, source).flatMap(({ value, start }) => {
    if (directive.test(value)) return [];
    const line = source.slice(0, start).split("\n").length;
    return paragraphsOf(value)
      .flatMap(sentencesOf)
      .filter((text) => (text.match(/[a-z]+/gi) ?? []).length >= 3)
      .map((text) => ({ text, line }));
  });
}

/**
 * Joins line comments on successive lines to one text, and leaves out the line that names the interpreter.
 *
 * @param {readonly { type: string, value: string, start: number, end: number }[]} comments
 * @param {string} source
 * @returns {{ value: string, start: number }[]}
 */
function joinLineComments(comments, source) {
  /** @type {{ value: string, start: number }[]} */
  const joined = [];
  let previous;
  for (const comment of comments.filter(({ start }) => !source.startsWith("#!", start))) {
    const last = joined.at(-1);
    const isNext =
      comment.type === "Line" &&
      previous?.type === "Line" &&
      /^\r?\n[\t ]*$/.test(source.slice(previous.end, comment.start));
    if (isNext && last !== undefined) last.value += `\n${comment.value}`;
    else joined.push({ value: comment.value, start: comment.start });
    previous = comment;
  }
  return joined;
}

/**
 * Splits a comment at its blank lines, list items and block tags.
 *
 * @param {string} comment
 * @returns {string[]}
 */
function paragraphsOf(comment) {
  const prose = comment
    .replace(suppression, "")
    .replace(/^[\t ]*\*[\t ]?/gm, "")
    .replace(/^[\t ]*```[\s\S]*?^[\t ]*```/gm, "");
  return prose
    .split(/\n\s*\n|\n(?=\s*(?:[-*•]|\d+\.)\s)|^\s*(?=@\w)/m)
    .map((part) => part.trim())
    .filter((part) => !codeTag.test(part))
    .map(withoutTag);
}

/**
 * Removes a block tag with its type and name, a list's mark, and the content of inline code.
 *
 * @param {string} paragraph
 */
function withoutTag(paragraph) {
  return paragraph
    .replace(/^@(?:param|property|prop|template|typedef)\s+(?:\{[\s\S]*?\}+\s+)?(?:\[[^\]]*\]|[\w$.]+)/, "")
    .replace(/^@\w+(?:\s+\{[\s\S]*?\}+(?=\s|$))?/, "")
    .replace(/^\s*(?:[-*•–]|\d+\.)\s+/, "")
    .replace(/`[^`]*`/g, "`code`")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * A sentence ends at a full stop, question mark or exclamation mark before a space and a beginning.
 *
 * @param {string} paragraph
 */
function sentencesOf(paragraph) {
  return paragraph.split(/(?<=[.!?]["')\]]*) (?=["'([]*[A-Z0-9`{])/);
}
