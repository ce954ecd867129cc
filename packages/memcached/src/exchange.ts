import type { Answer } from "./answers.js";

/** One batch of commands that was sent, and its answers. */
export class Exchange {
  readonly answers: Promise<readonly Answer[]>;
  /** The bytes that the server had sent before this batch, and those sent to it with this batch. */
  readonly heardBefore: number;
  readonly sentUpTo: number;
  isSettled = false;
  readonly #awaited: number | "END";
  readonly #came: Answer[] = [];
  #resolve: (answers: readonly Answer[]) => void = () => {};
  #reject: (error: Error) => void = () => {};

  /** @param awaited the number of answers, or `"END"` for lines of statistics up to that line */
  constructor(awaited: number | "END", heardBefore: number, sentUpTo: number) {
    this.#awaited = awaited;
    this.heardBefore = heardBefore;
    this.sentUpTo = sentUpTo;
    this.answers = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // After its deadline nobody looks at the answers.
    this.answers.catch(() => {});
  }

  /** Adds an answer, and returns whether it was the last one. */
  take(answer: Answer): boolean {
    this.#came.push(answer);
    const isLast =
      this.#awaited === "END" ? !answer.code.startsWith("STAT ") : this.#came.length === this.#awaited;
    if (isLast) {
      this.isSettled = true;
      this.#resolve(this.#came);
    }
    return isLast;
  }

  fail(error: Error): void {
    this.isSettled = true;
    this.#reject(error);
  }
}
