import type { Answer } from "./protocol.js";

/** One batch of commands on its way, and its answers. */
export class Exchange {
  readonly answers: Promise<readonly Answer[]>;
  /** How many bytes the server had said when this batch was sent, and how many it had been sent with this batch. */
  readonly heardBefore: number;
  readonly sentUpTo: number;
  isSettled = false;
  readonly #awaited: number | "END";
  readonly #came: Answer[] = [];
  #resolve: (answers: readonly Answer[]) => void = () => {};
  #reject: (error: Error) => void = () => {};

  /** @param awaited how many answers there will be; `"END"` for lines of statistics up to another one */
  constructor(awaited: number | "END", heardBefore: number, sentUpTo: number) {
    this.#awaited = awaited;
    this.heardBefore = heardBefore;
    this.sentUpTo = sentUpTo;
    this.answers = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever gave up does not look any more.
    this.answers.catch(() => {});
  }

  /** Whether this was the last answer. */
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

/** The server's own words against what it was asked for. */
export class Refusal extends Error {}

/** Whether the server says that it did not do what it was asked for, because it could not or did not understand. */
export function isError({ code }: Answer): boolean {
  return /^(SERVER_|CLIENT_)?ERROR\b/.test(code);
}

/** The server's words, where it answered with an error or with something that the command never has. */
export function refusal({ code }: Answer): Refusal {
  return new Refusal(
    /^(SERVER|CLIENT)_ERROR (.+)/.exec(code)?.[2] ?? `the server answered ${JSON.stringify(code)}`,
  );
}

/** The server has no room for what was to be stored. */
export function isFull(error: unknown): boolean {
  return error instanceof Refusal && /^out of memory/.test(error.message);
}
