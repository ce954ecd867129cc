import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * Sends a signal to a process and to all that it has started. A process group would not do: PostgreSQL gives every
 * backend a session of its own. From the root downwards, so that a process that is stopped or dead starts no further ones.
 */
export function signalTree(root: number, signal: "SIGSTOP" | "SIGCONT"): void {
  send(root, signal);
  for (const child of childrenOf(root)) signalTree(child, signal);
}

/**
 * SIGKILL for a process and all that it has started. Each is stopped before its children are looked for.
 *
 * @returns the numbers of all, for {@link untilEnded}
 */
export function killTree(root: number): number[] {
  send(root, "SIGSTOP");
  const below = childrenOf(root).flatMap(killTree);
  send(root, "SIGKILL");
  return [root, ...below];
}

/**
 * Until processes that were killed hold nothing any more: a dying one keeps its memory and its sockets for a moment, and
 * PostgreSQL refuses to start as long as a backend of its predecessor does. Linux tells; elsewhere it is not waited for.
 */
export async function untilEnded(pids: readonly number[]): Promise<void> {
  if (process.platform !== "linux") return;
  for (const pid of pids) {
    while (!/[ZX]/.test(stateOf(pid))) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** {@link killTree} for two generations, as a line for `sh`. */
export function killTreeCommand(root: number): string {
  const children = process.platform === "linux" ? `cat /proc/${root}/task/*/children` : `pgrep -P ${root}`;
  return `kill -STOP ${root}; kill -9 $(${children}) ${root}`;
}

/** SIGSTOP takes effect a moment after it is sent. Linux tells when; elsewhere that moment is not waited for. */
export async function untilTreeStopped(root: number): Promise<void> {
  if (process.platform !== "linux") return;
  // A process that has ended, and that its stopped parent has not been told of, is as quiet.
  while (!/[TZX]/.test(stateOf(root))) await new Promise((resolve) => setImmediate(resolve));
  for (const child of childrenOf(root)) await untilTreeStopped(child);
}

function stateOf(pid: number): string {
  try {
    return /\) (\S) /.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1] ?? "";
  } catch {
    // It has gone.
    return "X";
  }
}

function childrenOf(pid: number): number[] {
  const listed = process.platform === "linux" ? listedByKernel(pid) : listedByPgrep(pid);
  return listed
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(Number);
}

function listedByKernel(pid: number): string {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1")).join(" ");
  } catch {
    return "";
  }
}

function listedByPgrep(pid: number): string {
  return spawnSync("pgrep", ["-P", String(pid)], { encoding: "latin1" }).stdout;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone already.
  }
}
