/** Says what is going on: on a terminal in one line that is written over, elsewhere in one plain line a step. */
export class Progress {
  readonly #onTerminal = process.stdout.isTTY;

  begin(step: string): void {
    process.stdout.write(this.#onTerminal ? `\r\x1b[K  ${step} …` : `  ${step}\n`);
  }

  advance(step: string, done: number, of: number): void {
    if (this.#onTerminal) process.stdout.write(`\r\x1b[K  ${step} … ${done} of ${of} trees`);
  }

  /** Makes room for what is printed next. */
  end(): void {
    if (this.#onTerminal) process.stdout.write("\r\x1b[K");
  }
}
