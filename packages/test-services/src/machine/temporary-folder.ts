import { accessSync, constants, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Creates an empty folder for one server, in memory if the machine has a file system for that. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(memoryFileSystem() ?? tmpdir(), `cacheme-test-${name}-`));
}

function memoryFileSystem(): string | undefined {
  try {
    accessSync("/dev/shm", constants.W_OK);
    return "/dev/shm";
  } catch {
    return undefined;
  }
}
