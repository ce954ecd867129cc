/**
 * A piece of source: a name, number, string, part of a template, regular expression or single
 * character.
 */
export interface Token {
  readonly text: string;
  /** Whether white space precedes the token. */
  readonly isSpaced: boolean;
}

const space = /\s+/uy;
const comment = /\/\/[^\n]*|\/\*.*?\*\//suy;
const word = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|#?[\p{ID_Start}_$][\p{ID_Continue}$]*|\d[\w.]*|./suy;
const regularExpression = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\p{ID_Continue}*/uy;
const templateText = /(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{|$)/suy;

/**
 * The words and characters before a regular expression. After a name, a number or a closing bracket
 * a slash divides.
 */
const beforeExpression =
  /^(?:[(,=:[!&|?{};+\-*%~^<>]|.*\$\{|return|typeof|case|in|of|void|delete|throw|new|do|else)$/su;

/** Splits a source, without its comments. The expressions in a template are split in turn. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  /** The number of open braces in the expression of each template that is being split. */
  const templates: number[] = [];
  let place = 0;

  const take = (pattern: RegExp): string => {
    pattern.lastIndex = place;
    const [text = ""] = pattern.exec(source) ?? [];
    place += text.length;
    return text;
  };
  const takeTemplate = (opening: string) => {
    const text = opening + take(templateText);
    if (text.endsWith("${")) templates.push(0);
    return text;
  };

  while (place < source.length) {
    const isSpaced = take(space) !== "";
    if (take(comment) !== "") continue;
    if (place === source.length) break;
    const canBeExpression = source[place] === "/" && beforeExpression.test(tokens.at(-1)?.text ?? "(");
    let text = (canBeExpression && take(regularExpression)) || take(word);
    const open = templates.at(-1);
    if (text === "`") text = takeTemplate(text);
    else if (text === "}" && open === 0) {
      templates.pop();
      text = takeTemplate(text);
    } else if (open !== undefined && (text === "{" || text === "}")) {
      templates[templates.length - 1] = open + (text === "{" ? 1 : -1);
    }
    tokens.push({ text, isSpaced });
  }
  return tokens;
}
