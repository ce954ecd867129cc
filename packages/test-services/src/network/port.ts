import { closeSync, mkdirSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Ports below the kernel's ephemeral range (32768–60999 on Linux, higher elsewhere): an outgoing connection of any
 * process can never sit on a server's port while that server is down between a kill and a restart.
 */
const lowest = 20_000;
const highest = 32_000;

/** A port of 127.0.0.1 that nobody else listens on, kept from all other test processes until {@link release}. */
export interface ReservedPort {
  readonly port: number;
  /** The file that marks the port as taken. Whoever removes it gives the port back. */
  readonly mark: string;
  release(): void;
}

/**
 * Reserves a free port. Test processes run side by side, and a port is free for a moment while its server restarts, so a
 * port is marked by a file that only one process can create.
 *
 * @throws Error if a thousand ports in a row are taken, which means that something else is wrong
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

/** Whether this process made the file; the file system sees to it that only one does. */
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
