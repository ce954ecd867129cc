import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The first of some programs that is on PATH, or where distributions put servers, which is not on every user's PATH.
 *
 * @param others folders that are searched after those
 */
export function onPath(programs: readonly string[], others: readonly string[] = []): string | undefined {
  const usual = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin"];
  const folders = [...usual, ...others].filter((folder) => folder !== "");
  for (const program of programs) {
    for (const folder of folders) {
      const path = join(folder, program);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
