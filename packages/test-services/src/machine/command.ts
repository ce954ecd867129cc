import { spawnSync } from "node:child_process";
import { basename } from "node:path";
import type { Account } from "./account.js";
import { onPath } from "./on-path.js";

/** The folder, environment, account and time limit of a command. */
interface CommandOptions {
  readonly cwd?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Default: the account of this process. */
  readonly account?: Account | undefined;
  /** Milliseconds after which the command is ended. Default: five minutes. */
  readonly timeout?: number;
}

/**
 * Runs a program from PATH, or from a path, and waits for its end.
 *
 * @returns `undefined` if it ended with 0, else the reason with the first and the last lines of its
 * output
 */
export function runCommand(
  [program = "", ...words]: readonly string[],
  { cwd, env, account, timeout = 300_000 }: CommandOptions = {},
): string | undefined {
  const path = program.includes("/") ? program : onPath([program]);
  if (path === undefined) return `There is no ${program} on PATH.`;
  const done = spawnSync(path, words, { encoding: "utf8", timeout, cwd, env, ...account });
  if (done.status === 0) return undefined;
  const end = done.error?.message ?? done.signal ?? `code ${done.status}`;
  return `${basename(program)} ${words[0] ?? ""} failed (${end}):\n${ends(`${done.stdout}${done.stderr}`)}`;
}

/** Keeps the first and the last lines: some programs report the cause first, others last. */
function ends(output: string): string {
  const lines = output.trim().split("\n");
  return (lines.length <= 10 ? lines : [...lines.slice(0, 5), "…", ...lines.slice(-5)]).join("\n");
}
