import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/**
 * Sends a signal to a process and all its descendants. A signal to the process group is not enough,
 * because PostgreSQL gives each backend its own session. The parent goes first, so that it starts
 * no further processes.
 */
export function signalTree(root: number, signal: "SIGSTOP" | "SIGCONT"): void {
  send(root, signal);
  for (const child of childrenOf(root)) signalTree(child, signal);
}

/**
 * Kills a process and all its descendants (SIGKILL). Each is stopped before its children are
 * listed.
 *
 * @returns the ids of all killed processes, for {@link untilEnded}
 */
export function killTree(root: number): number[] {
  send(root, "SIGSTOP");
  const below = childrenOf(root).flatMap(killTree);
  send(root, "SIGKILL");
  return [root, ...below];
}

/**
 * Waits until killed processes have released everything. A dying process keeps its memory and
 * sockets for a moment, and PostgreSQL does not start while a backend of its predecessor does so.
 * Only Linux reports this; other systems do not wait.
 */
export async function untilEnded(pids: readonly number[]): Promise<void> {
  if (process.platform !== "linux") return;
  for (const pid of pids) {
    while (!/[ZX]/.test(stateOf(pid))) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Returns {@link killTree} for two generations, as a line for `sh`. */
export function killTreeCommand(root: number): string {
  const children = process.platform === "linux" ? `cat /proc/${root}/task/*/children` : `pgrep -P ${root}`;
  return `kill -STOP ${root}; kill -9 $(${children}) ${root}`;
}

/**
 * Waits until a process and its descendants are stopped: SIGSTOP takes effect with a delay. Only
 * Linux reports this; other systems do not wait.
 */
export async function untilTreeStopped(root: number): Promise<void> {
  if (process.platform !== "linux") return;
  // A zombie is as quiet: its stopped parent has not reaped it yet.
  while (!/[TZX]/.test(stateOf(root))) await new Promise((resolve) => setImmediate(resolve));
  for (const child of childrenOf(root)) await untilTreeStopped(child);
}

function stateOf(pid: number): string {
  try {
    return /\) (\S) /.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1] ?? "";
  } catch {
    // The process has ended.
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
    // The process has ended already.
  }
}
