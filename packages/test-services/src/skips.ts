import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** A suite that did not run, for the closing summary. */
export interface Skip {
  /** The suite's title. */
  readonly suite: string;
  /** The reason, and the way to make the suite run. */
  readonly reason: string;
  /**
   * Whether nobody can provide the missing service here, such as another product of a server. CI
   * then reports the skip and does not fail. Default `false`.
   */
  readonly absent?: boolean | undefined;
}

/**
 * Appends a skip to the file in `CACHEME_SKIPS_FILE`, as a line of JSON. Concurrent test processes
 * do not mix their lines, because a short line is appended in one piece.
 */
export function noteSkip(skip: Skip): void {
  const path = process.env.CACHEME_SKIPS_FILE;
  if (path !== undefined && path !== "") appendFileSync(path, `${JSON.stringify(skip)}\n`);
}

/** Reads the skips from a file. A missing file has no skips. */
export function readSkips(path: string): Skip[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  // noteSkip has written the file.
  return lines.map((line) => JSON.parse(line) as Skip);
}
