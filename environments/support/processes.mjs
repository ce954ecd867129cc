import { spawn } from "node:child_process";

/** The running programs of this check. All of them end with the check. */
const running = new Set();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Milliseconds after which a program counts as hanging: more than it needs, even on a busy machine.
 */
const limit = 120_000;

/**
 * Starts a program.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {import("node:child_process").SpawnOptions} [options]
 */
export function start([program, ...args], options = {}) {
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const printed = { stdout: "", all: "" };
  const listeners = new Set();
  const take = (text) => {
    printed.all += text;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed.stdout += text;
    take(text);
  });
  child.stderr.setEncoding("utf8").on("data", take);

  let isHanging = false;
  const timer = setTimeout(() => {
    isHanging = true;
    child.kill("SIGKILL");
  }, limit);
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      const end = isHanging ? "did not end by itself" : `ended with ${signal ?? `code ${code}`}`;
      if (code === 0) resolve(printed.stdout);
      else reject(new Error(`${[program, ...args].join(" ")} ${end}\n${printed.all}`));
    });
  });
  ended.catch(() => {}); // Callers that wait for `ended` get the error.

  return {
    child,
    /** Resolves to the standard output, when the program has ended with code 0. */
    ended,
    /**
     * Waits for the first match in the program's output.
     *
     * @param {RegExp} pattern
     */
    async prints(pattern) {
      const found = new Promise((resolve) => {
        const look = () => {
          const match = pattern.exec(printed.stdout);
          if (match !== null) resolve(match);
        };
        listeners.add(look);
        look();
      });
      const isOver = ended.then(() => {
        throw new Error(`${[program, ...args].join(" ")} ended before it printed ${pattern}\n${printed.all}`);
      });
      return await Promise.race([found, isOver]);
    },
  };
}

/**
 * Runs a program to its end.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {import("node:child_process").SpawnOptions} [options]
 * @returns {Promise<string>} its standard output
 */
export function run(command, options) {
  return start(command, options).ended;
}

/**
 * Runs the compiler on a program's tsconfig.json.
 *
 * @param {string} folder
 */
export function compile(folder) {
  return run([process.execPath, "node_modules/typescript/bin/tsc"], { cwd: folder });
}
