import { CommandError } from "./command.mjs";

/**
 * The result of a step. A step that returns nothing, or a string for its line, counts as one passed
 * check. A step that throws counts as one failed check.
 *
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {readonly string[]} [failures] the names of the failed checks, if a step has several
 * @property {string} [detail] a short text for the step's line
 * @property {string} [cause] the cause of a failure, printed below the step's line
 */

/**
 * @typedef {object} Step
 * @property {string} name the check, in plain words
 * @property
 * {() => Promise<Outcome | string | undefined | void> | Outcome | string | undefined | void} check
 */

/**
 * Something that was not checked here, and the way to check it. If nobody can provide the missing
 * part here, the skip is `absent`: it is reported, and is no failure in CI.
 *
 * @typedef {{ what: string, how: string, absent: boolean }} Skip
 */

/** Runs steps, prints a line for each, and counts the results. */
export class Report {
  #start = performance.now();
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  /** @type {string[]} */
  #failures = [];

  get hasFailed() {
    return this.#failed > 0;
  }

  /** @param {string} text */
  heading(text) {
    console.log(`\n${text}`);
  }

  /**
   * Runs steps in order, up to `lanes` of them concurrently. It prints a step's line when the step
   * ends, so that the output of two steps never mixes.
   *
   * @param {readonly Step[]} steps
   * @param {number} [lanes]
   */
  async run(steps, lanes = 1) {
    const waiting = [...steps];
    const lane = async () => {
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await this.#runStep(step);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  /** @param {Step} step */
  async #runStep({ name, check }) {
    const start = performance.now();
    const { passed, failed, skipped, failures, detail, cause } = await outcomeOf(check);
    this.#passed += passed;
    this.#failed += failed;
    this.#skipped += skipped;
    if (failed > 0) this.#failures.push(...(failures?.length ? failures : [name]));

    const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
    console.log(`  ${failed > 0 ? "FAILED" : "ok    "} ${seconds} s  ${name}${detail ? ` (${detail})` : ""}`);
    if (cause) console.log(`\n${cause.replace(/^/gm, "    ")}\n`);
  }

  /**
   * Prints the closing lines; the last is `N passed, N failed, N skipped`.
   *
   * @param {readonly Skip[]} skips
   * @param {{ everyService: boolean }} options `everyService`: a skip is a failure, as in CI
   */
  close(skips, { everyService }) {
    console.log(`\nDone in ${((performance.now() - this.#start) / 1000).toFixed(0)} s.`);
    const absent = skips.filter((skip) => skip.absent);
    const missed = skips.filter((skip) => !skip.absent);
    list("Not available here:", absent);
    list(everyService ? "Skipped, which CI does not allow:" : "Skipped:", missed);
    if (everyService) this.#failed += Math.max(missed.length, this.#skipped);
    // Printed again at the end, which is what people read first in a long log.
    if (this.#failures.length > 0) console.log(`\nFailed:\n  ${this.#failures.join("\n  ")}`);
    console.log(`\n${this.#passed} passed, ${this.#failed} failed, ${this.#skipped} skipped`);
  }
}

/**
 * @param {string} heading
 * @param {readonly Skip[]} skips
 */
function list(heading, skips) {
  if (skips.length === 0) return;
  console.log(`\n${heading}`);
  for (const how of new Set(skips.map((skip) => skip.how))) {
    for (const { what } of skips.filter((skip) => skip.how === how)) console.log(`  ${what}`);
    console.log(`    ${how}`);
  }
}

/**
 * @param {Step["check"]} check
 * @returns {Promise<Outcome>}
 */
async function outcomeOf(check) {
  try {
    const result = await check();
    if (typeof result === "object") return result;
    return { passed: 1, failed: 0, skipped: 0, ...(result ? { detail: result } : {}) };
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, cause: causeOf(error) };
  }
}

/** @param {unknown} error */
function causeOf(error) {
  if (error instanceof CommandError)
    return error.output ? `${error.output}\n${error.message}` : error.message;
  if (error instanceof Error) return error.name === "Error" ? error.message : String(error.stack);
  return String(error);
}
