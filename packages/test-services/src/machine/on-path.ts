import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Returns the path of the first program that is found on PATH or in the distributions' folders for
 * servers, which are not on every user's PATH.
 *
 * @param others further folders, searched last
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
