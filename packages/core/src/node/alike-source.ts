import { type Token, tokensOf } from "./source-tokens.js";

/**
 * Names that bundlers make: `t`, `__vite_ssr_import_0__`, `_db__WEBPACK_IMPORTED_MODULE_0__`,
 * `user$1`.
 */
const bundledName = /^(?:[\p{ID_Start}_$].?|.*__.*|_.*|.*\$\d*)$/u;

/** Names that minifiers make. In a module with thousands of names they have three characters. */
const minifiedName =
  /^(?!(?:do|if|in|of|for|get|let|new|set|try|var)$)[\p{ID_Start}_$][\p{ID_Continue}$]{0,2}$/u;

/** Names that minifiers give to the exports of a module. */
const minifiedExport = /^[\p{ID_Start}_$].?$/u;

/**
 * Returns whether two sources only differ in names that a bundler made. One module in two graphs is
 * compiled twice. Each such name must stand for one name of the other source throughout.
 * Properties, which follow a dot or precede a colon in an object, must be equal.
 */
export function isAlikeBundled(one: string, other: string): boolean {
  if (one === other) return true;
  const [left, right] = [tokensOf(one).map(textOf), tokensOf(other).map(textOf)];
  if (left.length !== right.length) return false;
  const [there, back] = [new Map<string, string>(), new Map<string, string>()];
  return left.every((word, place) => {
    const twin = right[place] ?? "";
    if (isProperty(left, place) || !bundledName.test(word) || !bundledName.test(twin)) return word === twin;
    const isConsistent = (there.get(word) ?? twin) === twin && (back.get(twin) ?? word) === word;
    there.set(word, twin);
    back.set(twin, word);
    return isConsistent;
  });
}

/**
 * Returns whether two minified sources only differ in names and the numbers of modules. A minifier
 * renames in each scope, so one name may stand for several of the other source.
 */
export function isAlikeMinified(one: string, other: string): boolean {
  const [left, right] = [withoutNames(one), withoutNames(other)];
  return left.length === right.length && left.every((word, place) => word === right[place]);
}

/** Returns whether a source has only the white space that its words need. */
export function isMinified(source: string): boolean {
  const tokens = tokensOf(source);
  return !tokens.some(
    ({ isSpaced }, place) =>
      (isSpaced && /^[,;:{}=?]$/.test(tokens[place - 1]?.text ?? "")) || isLooseArrow(tokens, place),
  );
}

/**
 * Returns whether an arrow follows a single parameter in parentheses. A minifier leaves the
 * parentheses out.
 */
function isLooseArrow(tokens: readonly Token[], place: number): boolean {
  const [before = "", parameter = "", ...after] = tokens.slice(place, place + 5).map(({ text }) => text);
  return before === "(" && /^[\p{ID_Start}_$]/u.test(parameter) && after.join("") === ")=>";
}

/**
 * Returns the token's characters. Turbopack names a module by its path and its graph:
 * `"[project]/lib/db.ts [app-rsc] (ecmascript)"`.
 */
function textOf({ text }: Token): string {
  return text.replace(/^("\[.*) \[[\w-]+\] \(/, "$1 (");
}

function isProperty(words: readonly string[], place: number): boolean {
  return isMember(words, place) || (words[place + 1] === ":" && /^[{,]$/.test(words[place - 1] ?? ""));
}

function isMember(words: readonly string[], place: number): boolean {
  return words[place - 1] === "." && words[place - 2] !== ".";
}

/**
 * Returns the tokens with `_` for each name that a minifier may have made, and `{ id: e }` as
 * `{ id }`.
 */
function withoutNames(source: string): string[] {
  const words = tokensOf(source).map(({ text }) => text);
  const kept: string[] = [];
  for (let place = 0; place < words.length; place++) {
    const word = words[place] ?? "";
    if (word.startsWith("#") && word.length > 1) kept.push("#");
    else if (isMember(words, place)) kept.push(isExport(words, place) ? "_" : word);
    else if (isNamedValue(words, place)) {
      kept.push(minifiedName.test(word) ? "_" : word);
      place += 2;
    } else if (isProperty(words, place)) kept.push(word);
    else if (isModuleNumber(words, place)) kept.push("0");
    else kept.push(minifiedName.test(word) ? "_" : word);
  }
  return kept;
}

/** Returns whether a property is an export of a module: `e.f` in `e.f.article(…)`. */
function isExport(words: readonly string[], place: number): boolean {
  return minifiedExport.test(words[place] ?? "") && minifiedName.test(words[place - 2] ?? "");
}

/**
 * Returns whether a name and a colon precede a variable, as in `{ id: e }`. The source has `{ id }`
 * if the variable has that name.
 */
function isNamedValue(words: readonly string[], place: number): boolean {
  return (
    isProperty(words, place) &&
    minifiedName.test(words[place + 2] ?? "") &&
    /^[,}=]$/.test(words[place + 3] ?? "")
  );
}

/**
 * Returns whether a number names a module, as in `e.A(57349)`, `e.e(12)` and `e.bind(e, 57349)`.
 */
function isModuleNumber(words: readonly string[], place: number): boolean {
  if (!/^\d+$/.test(words[place] ?? "")) return false;
  const isOnly = words[place - 1] === "(" && isExport(words, place - 2);
  return isOnly || (words[place - 1] === "," && words[place - 4] === "bind");
}
