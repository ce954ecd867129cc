import { shown } from "../../option-checks.js";
import type { PolicyOwner } from "./refuse.js";

/** The learning of what is read after a node. */
export interface LearnOptions {
  /** The most nodes of the class of which the next reads are kept. Default: 1,000. */
  readonly size?: number | undefined;
  /**
   * Whether a read of a node loads those in advance that are likely to be read next. Otherwise
   * `suggestions` only names them. Default: false.
   */
  readonly use?: boolean | undefined;
  /** The least probability of a node that is loaded in advance, above 0 and up to 1. Default: 0.5. */
  readonly probability?: number | undefined;
}

/** The loading of nodes before they are read. */
export interface PrefetchOptions {
  /**
   * The length of the way from a missed node to those that are loaded in advance: 1 for its own
   * neighbours, 2 for their neighbours, too. At most 10. Default: 1.
   */
  readonly depth?: number | undefined;
  /**
   * The most nodes that one miss loads in advance, and the most that are under way for the class at
   * the same time. Nodes beyond it are left out. Default: 100.
   */
  readonly budget?: number | undefined;
  /** Whether the class learns what is read after its nodes. `true` is `{}`. Default: false. */
  readonly learn?: boolean | LearnOptions | undefined;
}

/** The option of a class about nodes that are loaded in advance. */
export interface PrefetchPolicy {
  /**
   * The loading of nodes in the background after a miss of a node of the class: those that its
   * `related()` and the rules of `relate` name, and those that are likely to be read next. `false`
   * loads none. Default: the neighbours themselves, at most 100.
   */
  readonly prefetch?: PrefetchOptions | false | undefined;
}

/** The checked options of the learning. */
interface ResolvedLearning {
  readonly size: number;
  /** `undefined` if the learned nodes are not loaded in advance. */
  readonly probability: number | undefined;
}

/** The checked options. */
export interface ResolvedPrefetch {
  readonly depth: number;
  readonly budget: number;
  readonly learning: ResolvedLearning | undefined;
}

const defaults = { depth: 1, budget: 100, size: 1_000, probability: 0.5 };

const greatestDepth = 10;

/** @throws ConfigurationError `CACHEME_INVALID_META` */
export function resolvePrefetch(
  { prefetch = {} }: PrefetchPolicy,
  { refuse }: PolicyOwner,
): ResolvedPrefetch | undefined {
  if (prefetch === false) return undefined;
  checkKnown("prefetch", prefetch, ["depth", "budget", "learn"], "{ depth, budget, learn } or false", refuse);
  const { depth = defaults.depth, budget = defaults.budget, learn = false } = prefetch;
  if (!Number.isInteger(depth) || depth < 1 || depth > greatestDepth)
    refuse(
      `has \`prefetch.depth: ${shown(depth)}\`: give a whole number from 1 to ${greatestDepth}, or prefetch: false.`,
    );
  checkCount("prefetch.budget", budget, refuse);
  if (learn === false) return { depth, budget, learning: undefined };
  return { depth, budget, learning: resolveLearning(learn === true ? {} : learn, refuse) };
}

function resolveLearning(learn: LearnOptions, refuse: PolicyOwner["refuse"]): ResolvedLearning {
  const expected = "true, false or { size, use, probability }";
  checkKnown("prefetch.learn", learn, ["size", "use", "probability"], expected, refuse);
  const { size = defaults.size, use = false, probability = defaults.probability } = learn;
  checkCount("prefetch.learn.size", size, refuse);
  if (typeof use !== "boolean") refuse(`has \`prefetch.learn.use: ${shown(use)}\`: give true or false.`);
  if (typeof probability !== "number" || !(probability > 0 && probability <= 1))
    refuse(`has \`prefetch.learn.probability: ${shown(probability)}\`: give a number above 0 and up to 1.`);
  return { size, probability: use ? probability : undefined };
}

function checkKnown(
  option: string,
  given: object,
  known: readonly string[],
  expected: string,
  refuse: PolicyOwner["refuse"],
): void {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    refuse(`has \`${option}: ${shown(given)}\`: give ${expected}.`);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined)
    refuse(`has an unknown option ${shown(unknown)} in \`${option}\`. Known are ${known.join(", ")}.`);
}

function checkCount(option: string, given: number, refuse: PolicyOwner["refuse"]): void {
  if (!Number.isSafeInteger(given) || given < 1)
    refuse(`has \`${option}: ${shown(given)}\`: give a whole number of at least 1.`);
}
