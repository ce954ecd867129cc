import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Ports below the kernel's ephemeral range (32768–60999 on Linux, higher elsewhere). An outgoing
 * connection can therefore never take a server's port while the server is down between kill and
 * restart.
 */
const lowest = 20_000;
const highest = 32_000;

/** A free port of 127.0.0.1, reserved among all test processes until {@link release}. */
export interface ReservedPort {
  readonly port: number;
  /** The file that marks the port as reserved. Removing the file releases the port. */
  readonly mark: string;
  release(): void;
}

/**
 * Reserves a free port. Test processes run concurrently, and a server's port is free for a moment
 * during a restart. A file that only one process can create therefore marks the port.
 *
 * @throws Error if a thousand ports in a row are taken, which has another cause
 */
export async function reservePort(): Promise<ReservedPort> {
  const folder = join(tmpdir(), "cacheme-test-ports");
  mkdirSync(folder, { recursive: true });
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    const mark = join(folder, String(port));
    if (!create(mark)) continue;
    if (await isFree(port)) return { port, mark, release: () => rmSync(mark, { force: true }) };
    rmSync(mark, { force: true });
  }
  throw new Error(`No free port from ${lowest} to ${highest}. Remove ${folder} if no tests are running.`);
}

/**
 * Creates a file. Returns whether this process did so; the file system lets only one process
 * succeed.
 */
function create(path: string): boolean {
  try {
    closeSync(openSync(path, "wx"));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
