import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/**
 * Milliseconds after which a command counts as hanging and is ended. All tests together take half of
 * it on a free machine.
 */
const DEADLINE = 30 * 60_000;

/** The error of a command that did not start, ended with a code other than 0, or took too long. */
export class CommandError extends Error {
  /**
   * @param {string} message
   * @param {string} output the command's output until then
   */
  constructor(message, output) {
    super(message);
    this.name = "CommandError";
    this.output = output;
  }
}

/**
 * Runs a command and resolves to its output: standard output and standard error in their order.
 * Standard input is closed, so that the command cannot wait for a person.
 *
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdoutOnly?: boolean }} [options] `stdoutOnly`
 * resolves without standard error; an error still has it
 * @returns {Promise<string>}
 */
export function run(command, parameters, { cwd = root, env = process.env, stdoutOnly = false } = {}) {
  return new Promise((resolve, reject) => {
    let output = "";
    let stdout = "";
    const child = spawn(command, parameters, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      output += text;
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      output += text;
    });

    const line = `${command} ${parameters.join(" ")}`;
    const deadline = setTimeout(() => {
      output += `\nEnded: ${line} was not done after ${DEADLINE / 60_000} minutes.`;
      child.kill("SIGKILL");
    }, DEADLINE);
    child.on("error", (error) => {
      clearTimeout(deadline);
      reject(new CommandError(`${line} could not start: ${error.message}`, output));
    });
    child.on("close", (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) resolve(stdoutOnly ? stdout : output);
      else reject(new CommandError(`${line} ended with ${signal ?? `code ${code}`}`, output.trim()));
    });
  });
}
