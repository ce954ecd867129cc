import type { KeyHistory, RunningLoad } from "./key-history.js";

/**
 * Checks promise 1 when a load begins: a key never has more than two. It has no second load beside
 * one that nothing has overtaken and that began after all waiting reads.
 *
 * @returns the violation
 */
export function checkNewLoad(history: KeyHistory, now: number): string | undefined {
  if (history.loads.size >= 2) return `a load begins while ${history.loads.size} others run`;
  for (const running of history.loads) {
    if (!isJustified(history, running, now)) {
      return `a load begins beside load ${running.born}, which nothing has overtaken and which serves every reader`;
    }
  }
  return undefined;
}

/** Returns whether another load may run beside the running one. */
function isJustified(history: KeyHistory, running: RunningLoad, now: number): boolean {
  if (history.overtaker > running.born) return true;
  const reads = [...history.reads];
  const isRefreshed = reads.some(({ way }) => way === "fresh" || way === "refresh");
  return reads.some(
    (read) =>
      (isRefreshed && read.born > running.born) ||
      (read.maxAge !== undefined && now - running.at > read.maxAge),
  );
}
