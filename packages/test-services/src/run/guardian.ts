import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";

/**
 * Keeps the last line of its input, and runs it when the input ends: when the test process closes
 * it or dies. It ignores the signals that a terminal sends to the whole group.
 */
const script = `
trap '' INT TERM HUP
cleanup=:
while IFS= read -r line; do cleanup=$line; done
eval "$cleanup"
`;

/**
 * Cleans up after a test process that was killed, because SIGKILL runs no handler of the process. A
 * shell waits on a pipe from the process. When the kernel closes the pipe, the shell runs the
 * cleanup.
 */
export class Guardian {
  readonly #shell: ChildProcess;

  constructor() {
    this.#shell = spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#shell.unref();
    // The guardian must not keep the process alive.
    if (this.#shell.stdin instanceof Socket) this.#shell.stdin.unref();
    this.#shell.stdin?.on("error", () => {});
  }

  /**
   * Sets the cleanup for the case that the test process dies now: one line for `sh`. It replaces
   * the line before.
   */
  leave(cleanup: string): void {
    this.#shell.stdin?.write(`${cleanup}\n`);
  }

  /** Ends the guardian without a cleanup. */
  dismiss(): void {
    this.#shell.stdin?.end(":\n");
  }
}
