import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The checkout's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** How long a command may take before it counts as hanging and is ended. */
const DEADLINE = 15 * 60_000;

/** A command that could not start, ended with another code than 0, or was ended for taking too long. */
export class CommandError extends Error {
  /**
   * @param {string} message
   * @param {string} output what the command had printed until then
   */
  constructor(message, output) {
    super(message);
    this.name = "CommandError";
    this.output = output;
  }
}

/**
 * Runs a command and resolves to what it printed, standard output and standard error in the order in which they came.
 * Nothing is asked of a terminal: standard input is closed.
 *
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, stdoutOnly?: boolean }} [options] `stdoutOnly` leaves warnings out of the answer, not out of an error
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
