import { ConfigurationError, typeName } from "../errors.js";
import { storageKey } from "../node/key.js";
import type { Scope } from "../node/node.js";
import { isThenable } from "../node/thenable.js";
import { sharedState } from "../shared-state.js";
import { shownKey } from "../shown-key.js";
import type { TagSubject } from "./tag-name.js";

/** The most levels of a path. */
const mostLevels = 8;

/** The longest value of a level, in UTF-16 units. */
const longestValue = 100;

/** Halves of surrogate pairs, which have no form in a path. */
const halfPair = /\p{Cs}/u;

const levelPattern = /^[A-Za-z][A-Za-z0-9_-]{0,29}$/;

/** Ends the path in a key. No value is empty, so the path has no two slashes in a row. */
const endOfPath = "//";

/** The scope that `withScope` has given to the caller, in one space. */
interface ScopeFrame {
  readonly scopes: Scopes;
  readonly scope: Scope;
  readonly outer: ScopeFrame | undefined;
}

/** The levels of one `Cacheme`, and the scope of its callers. */
export class Scopes {
  #levels: readonly string[] = [];

  /**
   * Declares the levels, the outermost first.
   *
   * @throws ConfigurationError `CACHEME_INVALID_SCOPE`
   */
  define(levels: readonly string[]): void {
    const known = this.#levels.length > 0 && this.#levels.join() !== levels.join();
    if (known)
      throw invalidScope(`defineScopes(${quoted(levels)}) came after defineScopes(${quoted(this.#levels)}).`);
    for (const level of levels) {
      if (typeof level !== "string" || !levelPattern.test(level)) {
        throw invalidScope(
          `defineScopes expected names of levels, of letters, digits, "_" and "-", got ${shown(level)}.`,
        );
      }
    }
    if (levels.length === 0 || levels.length > mostLevels || new Set(levels).size < levels.length) {
      throw invalidScope(`defineScopes expected 1 to ${mostLevels} different names, got ${quoted(levels)}.`);
    }
    this.#levels = [...levels];
  }

  /** @throws ConfigurationError `CACHEME_INVALID_SCOPE` if the level is not defined */
  checkLevel(level: unknown, subject: TagSubject): void {
    if (typeof level === "string" && this.#levels.includes(level)) return;
    throw invalidScope(`${subject.what} names the level ${shown(level)}. ${this.#known}`, subject);
  }

  /**
   * Returns the path of a scope, such as `org=7/user=3`. Levels that the scope does not give come
   * from the caller's `withScope`.
   *
   * @param upTo the last level of the path; default: the last level that the scope gives
   * @throws ConfigurationError `CACHEME_INVALID_SCOPE`; `CACHEME_MISSING_SCOPE` if a level of the
   *   path has no value
   */
  path(scope: Scope, upTo: string | undefined, subject: TagSubject): string {
    this.#check(scope, subject);
    const last = upTo === undefined ? this.#lastOf(scope) : this.#levels.indexOf(upTo);
    if (last === -1) {
      throw missingScope(`${subject.what} gives no level of a scope. ${this.#known}`, subject);
    }
    const ambient = this.#isWhole(scope, last) ? {} : this.#agreeing(scope);
    const parts = this.#levels.slice(0, last + 1).map((level) => {
      const value = scope[level] ?? ambient[level];
      if (value === undefined) throw this.#missing(level, subject);
      return `${level}=${encodeURIComponent(value)}`;
    });
    return parts.join("/");
  }

  /** Returns the caller's scope. */
  ambient(): Scope {
    if (sharedState.scopesRunning === 0) return {};
    let frame = sharedState.scopeFrames.getStore() as ScopeFrame | undefined;
    while (frame !== undefined && frame.scopes !== this) frame = frame.outer;
    return frame?.scope ?? {};
  }

  /**
   * Runs the function in a scope. Levels that the scope does not give are those of the caller, down
   * to the first level that it gives.
   *
   * While an AsyncLocalStorage is in use, Node 20 makes every `await` of the process about twice as
   * slow. So it is only in use while such functions run.
   */
  run<T>(scope: Scope, body: () => T): T {
    this.#check(scope, { what: "withScope(…)" });
    const first = this.#levels.findIndex((level) => scope[level] !== undefined);
    if (first === -1)
      throw missingScope(`withScope(…) expected a value for a level. ${this.#known}`, { what: "" });
    const caller = this.ambient();
    const outer = Object.fromEntries(
      this.#levels
        .slice(0, first)
        .flatMap((level) => (caller[level] === undefined ? [] : [[level, caller[level]]])),
    );
    const frame: ScopeFrame = {
      scopes: this,
      scope: { ...outer, ...scope },
      outer: sharedState.scopeFrames.getStore() as ScopeFrame | undefined,
    };
    sharedState.scopesRunning += 1;
    let answer: T;
    try {
      answer = sharedState.scopeFrames.run(frame, body);
    } catch (error) {
      leaveScope();
      throw error;
    }
    if (!isThenable(answer)) leaveScope();
    else answer.then(leaveScope, leaveScope);
    return answer;
  }

  /** Runs the load of a node in the scope of its key. */
  runAsKey<T>(key: string, body: () => T): T {
    const parts = key.slice(0, key.indexOf(endOfPath)).split("/");
    const scope = Object.fromEntries(
      parts.map((part) => {
        const [level = "", value = ""] = part.split("=");
        return [level, decodeURIComponent(value)];
      }),
    );
    return this.run(scope, body);
  }

  #check(scope: Scope, subject: TagSubject): void {
    const given: unknown = scope;
    if (typeof given !== "object" || given === null) {
      throw invalidScope(
        `${subject.what} expected a scope such as { org: 7 }, got ${shown(given)}.`,
        subject,
      );
    }
    for (const [level, value] of Object.entries(scope)) {
      this.checkLevel(level, subject);
      const fits =
        typeof value === "number"
          ? Number.isFinite(value)
          : typeof value === "string" &&
            value !== "" &&
            value.length <= longestValue &&
            !halfPair.test(value);
      if (value !== undefined && !fits) {
        throw invalidScope(
          `${subject.what} expected a string of 1 to ${longestValue} characters or a number for the level "${level}", got ${shown(value)}.`,
          subject,
        );
      }
    }
  }

  #lastOf(scope: Scope): number {
    return this.#levels.findLastIndex((level) => scope[level] !== undefined);
  }

  /** Returns the caller's scope, unless the given one is elsewhere. */
  #agreeing(scope: Scope): Scope {
    const ambient = this.ambient();
    const differs = Object.entries(scope).some(
      ([level, value]) => ambient[level] !== undefined && `${ambient[level]}` !== `${value}`,
    );
    return differs ? {} : ambient;
  }

  #isWhole(scope: Scope, last: number): boolean {
    return this.#levels.slice(0, last + 1).every((level) => scope[level] !== undefined);
  }

  get #known(): string {
    return this.#levels.length === 0
      ? "Call defineScopes before."
      : `The levels are ${quoted(this.#levels)}.`;
  }

  #missing(level: string, subject: TagSubject): ConfigurationError {
    return missingScope(
      `${subject.what} has no value for the level "${level}" of its scope. Give it by scope(), or call inside of ` +
        `withScope({ ${level}: … }, …). Without it, callers of different scopes would share an entry.`,
      subject,
    );
  }
}

/** Returns the key of a scoped node. */
export function scopedKey(path: string, key: string): string {
  return path + endOfPath + key;
}

/** Returns the path in the key of a scoped node. */
export function pathOf(key: string): string {
  return key.slice(0, key.indexOf(endOfPath));
}

/** Returns the names of the tags of a path: one for each prefix of it. */
export function scopeTags(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.map((_, last) => scopeTag(parts.slice(0, last + 1).join("/")));
}

/** Returns the name of the tag that every entry below a path has. */
export function scopeTag(path: string): string {
  return storageKey("~scope:", path, "");
}

function leaveScope(): void {
  sharedState.scopesRunning -= 1;
  if (sharedState.scopesRunning === 0) sharedState.scopeFrames.disable();
}

function quoted(levels: readonly unknown[]): string {
  return levels.map(shown).join(", ");
}

function shown(value: unknown): string {
  return typeof value === "string"
    ? shownKey(value)
    : typeof value === "number"
      ? `${value}`
      : typeName(value);
}

function invalidScope(message: string, { node, key }: Partial<TagSubject> = {}): ConfigurationError {
  return new ConfigurationError("CACHEME_INVALID_SCOPE", message, { node, key });
}

function missingScope(message: string, { node, key }: TagSubject): ConfigurationError {
  return new ConfigurationError("CACHEME_MISSING_SCOPE", message, { node, key });
}
