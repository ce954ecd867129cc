import { spawn } from "node:child_process";
import { setTimeout } from "node:timers/promises";

/**
 * Milliseconds after which Next counts as hanging. A build takes half a minute, and some minutes on
 * a busy machine.
 */
const deadline = 5 * 60_000;

/**
 * A server of Next's that answers at its address.
 *
 * @typedef {{ address: string, output: () => string, end: () => Promise<void> }} Server
 */

/**
 * Runs a command of Next to its end.
 *
 * @param {string[]} parameters
 * @returns {Promise<string>} its output
 */
export async function runNext(parameters) {
  const { output, exitCode, end } = spawnNext(parameters);
  try {
    await until(() => exitCode() !== undefined, output);
  } finally {
    await end();
  }
  if (exitCode() !== 0) throw new Error(`next ${parameters.join(" ")} failed:\n${output()}`);
  return output();
}

/**
 * Starts `next dev` or `next start` on a port that the system chooses.
 *
 * @param {string[]} parameters
 * @returns {Promise<Server>}
 */
export async function startNext(parameters) {
  const { output, exitCode, end } = spawnNext([...parameters, "--hostname", "127.0.0.1", "--port", "0"]);
  try {
    await until(() => output().includes("Ready in") || exitCode() !== undefined, output);
    const [address] = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(output()) ?? [];
    if (address === undefined || exitCode() !== undefined)
      throw new Error(`Next did not start:\n${output()}`);
    return { address, output, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/**
 * Waits for a condition.
 *
 * @param {() => boolean | Promise<boolean>} condition
 * @param {() => string} output the output to show if the condition never holds
 */
export async function until(condition, output) {
  const end = Date.now() + deadline;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Nothing came in ${deadline / 1000} s:\n${output()}`);
    await setTimeout(50);
  }
}

/** @param {string[]} parameters */
function spawnNext(parameters) {
  // The server has its own process group, so that all its processes end together.
  const child = spawn(process.execPath, ["node_modules/next/dist/bin/next", ...parameters], {
    detached: true,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      printed += text;
    });
  }
  /** @type {number | undefined} */
  let code;
  const closed = new Promise((resolve) => {
    child.on("error", (error) => {
      printed += error.message;
      code = 1;
      resolve(code);
    });
    child.on("close", (exitCode, signal) => {
      printed += signal === null ? "" : `\nEnded by ${signal}.`;
      code = exitCode ?? 1;
      resolve(code);
    });
  });
  const endGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // No process of the group runs.
    }
  };
  process.once("exit", endGroup);
  const end = async () => {
    endGroup();
    await closed;
    process.off("exit", endGroup);
  };
  return { output: () => printed, exitCode: () => code, end };
}
