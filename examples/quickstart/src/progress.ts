/**
 * Prints the progress: on a terminal in one line that is overwritten, elsewhere in a plain line for
 * each step.
 */
export class Progress {
  readonly #onTerminal = process.stdout.isTTY;

  begin(step: string): void {
    process.stdout.write(this.#onTerminal ? `\r\x1b[K  ${step} …` : `  ${step}\n`);
  }

  advance(step: string, done: number, of: number): void {
    if (this.#onTerminal) process.stdout.write(`\r\x1b[K  ${step} … ${done} of ${of} trees`);
  }

  /** Clears the line for the next output. */
  end(): void {
    if (this.#onTerminal) process.stdout.write("\r\x1b[K");
  }
}
