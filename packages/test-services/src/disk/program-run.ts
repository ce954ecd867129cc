import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import type { Program } from "../program.js";

export interface RunOptions {
  /** Shell commands that come before the program, such as `ulimit -n 100;`. Default: none. */
  readonly limits?: string;
  /** Default: the test's own environment. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A process of a program, and what it says line by line. The process ends with its test. */
export class ProgramRun {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(program: Program, scenario: string, path: string, { limits = "", env }: RunOptions = {}) {
    const words = [process.execPath, "--no-warnings", program.path, scenario, path];
    const quoted = words.map((word) => `'${word}'`).join(" ");
    this.process = spawn("/bin/sh", ["-c", `${limits} exec ${quoted}`], {
      stdio: ["pipe", "pipe", "inherit"],
      env: env ?? process.env,
    });
    onTestFinished(() => void this.process.kill("SIGKILL"));
    if (this.process.stdout === null) throw new Error("The process has no output.");
    this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves to the next line, parsed from JSON; `undefined` at the end. */
  async said(): Promise<unknown> {
    const { value } = await this.#lines.next();
    return value === undefined ? undefined : JSON.parse(value);
  }

  async ended(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
  }

  /** Kills the process and waits for its end. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.ended();
  }
}
