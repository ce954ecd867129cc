import type { KeyHistory, RunningLoad } from "./key-history.js";

/**
 * Promise 1, when a load begins: never more than two of a key, and no second one while a load runs that nothing has overtaken
 * and that began after everybody who waits had asked.
 *
 * @returns what is wrong
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

/** Whether the running load leaves something to another one. */
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
