import { existsSync, mkdirSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** What is made or downloaded once for many runs is kept here, outside the checkout. It may be removed at any time. */
export function cacheFolder(): string {
  const caches = process.env.XDG_CACHE_HOME;
  const base = caches === undefined || caches === "" ? join(homedir(), ".cache") : caches;
  const folder = join(base, "cacheme-test");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * The same for programs. Some servers refuse root and run as `nobody`, who may not look into root's own folder: what root
 * fetches is kept where everybody may read.
 */
export function programFolder(): string {
  if (process.getuid?.() !== 0) return cacheFolder();
  const folder = "/var/cache/cacheme-test";
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/**
 * Moves a finished folder to its place in the cache. Two runs may finish one at once: the first one's stays.
 *
 * @param isThere whether the place holds it already
 * @throws Error if the folder cannot be moved, and the place does not hold it
 */
export function publish(
  draft: string,
  place: string,
  isThere: () => boolean = () => existsSync(place),
): void {
  try {
    renameSync(draft, place);
  } catch (error) {
    if (!isThere()) throw error;
  }
}
