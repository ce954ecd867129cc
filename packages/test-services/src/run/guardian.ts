import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";

/**
 * Keeps the last line that it was sent, and runs it when its input ends: when the test process closes it or dies, in
 * whatever way. It must not die of the signals that a terminal sends to the whole group.
 */
const script = `
trap '' INT TERM HUP
cleanup=:
while IFS= read -r line; do cleanup=$line; done
eval "$cleanup"
`;

/**
 * Cleans up after a test process that was killed: no handler of that process can, since SIGKILL runs none. A shell waits
 * on a pipe from the process; the kernel closes the pipe, the shell does what is left to do.
 */
export class Guardian {
  readonly #shell: ChildProcess;

  constructor() {
    this.#shell = spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#shell.unref();
    // The guardian must not keep alive what it waits for.
    if (this.#shell.stdin instanceof Socket) this.#shell.stdin.unref();
    this.#shell.stdin?.on("error", () => {});
  }

  /** What to run if the test process dies now: one line for `sh`. It takes the place of the line before. */
  leave(cleanup: string): void {
    this.#shell.stdin?.write(`${cleanup}\n`);
  }

  /** Everything has been cleaned up already. */
  dismiss(): void {
    this.#shell.stdin?.end(":\n");
  }
}
