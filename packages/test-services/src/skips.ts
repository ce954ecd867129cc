import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** A suite that did not run, by name, for the closing summary. */
export interface Skip {
  /** The suite's title. */
  readonly suite: string;
  /** Why it did not run, and what to do to make it run. */
  readonly reason: string;
  /**
   * Whether what it needs cannot be brought here by anybody, as another product of a server: CI names it then, and does
   * not fail. Default `false`.
   */
  readonly absent?: boolean | undefined;
}

/**
 * Notes a skip in the file that `CACHEME_SKIPS_FILE` names, one JSON object a line. Test processes run side by side; a
 * short line is appended in one piece.
 */
export function noteSkip(skip: Skip): void {
  const path = process.env.CACHEME_SKIPS_FILE;
  if (path !== undefined && path !== "") appendFileSync(path, `${JSON.stringify(skip)}\n`);
}

/** The skips that were noted in a file. A file that is not there has none. */
export function readSkips(path: string): Skip[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  // Written by noteSkip.
  return lines.map((line) => JSON.parse(line) as Skip);
}
