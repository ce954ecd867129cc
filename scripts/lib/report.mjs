import { CommandError } from "./command.mjs";

/**
 * What a step found. A step that returns nothing, or a text that says what it looked at, counts as one check passed;
 * one that throws, as one failed.
 *
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {readonly string[]} [failures] the names of what failed, where the step looks at several things
 * @property {string} [detail] a few words for the step's line
 * @property {string} [cause] what went wrong, printed below the step's line
 */

/**
 * @typedef {object} Step
 * @property {string} name what is checked, in plain words
 * @property {() => Promise<Outcome | string | undefined | void> | Outcome | string | undefined | void} check
 */

/**
 * Something that could not be checked here, and what would let it be. What is `absent` nobody can bring here: it is named,
 * also in CI, and is no failure.
 *
 * @typedef {{ what: string, how: string, absent: boolean }} Skip
 */

/** Runs steps, prints a line for each and counts. */
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
   * Runs one step after the other, or `lanes` of them side by side. A line is printed when a step is done, so that the
   * output of two never mixes.
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
   * @param {{ everyService: boolean }} options in CI every service has to be there: a skip is a failure
   */
  close(skips, { everyService }) {
    console.log(`\nDone in ${((performance.now() - this.#start) / 1000).toFixed(0)} s.`);
    const absent = skips.filter((skip) => skip.absent);
    const missed = skips.filter((skip) => !skip.absent);
    list("Not to be had here:", absent);
    list(everyService ? "Not to be skipped in CI:" : "Skipped:", missed);
    if (everyService) this.#failed += Math.max(missed.length, this.#skipped);
    // Once more at the end, where a long log is looked at first.
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
