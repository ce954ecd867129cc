import { spawnSync } from "node:child_process";

/** The user and the group of a process. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Returns the account `nobody` for a program that refuses root, if we are root. Otherwise returns
 * nothing: the program runs as we do.
 */
export function accountOf({ refusesRoot = false }: { readonly refusesRoot?: boolean }): Account | undefined {
  if (!refusesRoot || process.getuid?.() !== 0) return undefined;
  return { uid: idOf("-u"), gid: idOf("-g") };
}

function idOf(which: "-u" | "-g"): number {
  const asked = spawnSync("id", [which, "nobody"], { encoding: "latin1" });
  if (asked.status === 0) return Number(asked.stdout);
  throw new Error(
    `Expected an account "nobody" for a server that refuses root, but "id" failed: ${asked.stderr}`,
  );
}
