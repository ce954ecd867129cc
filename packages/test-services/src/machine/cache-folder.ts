import { existsSync, mkdirSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Returns the folder outside the checkout for files that are created or downloaded once for many
 * runs. You may remove it at any time.
 */
export function cacheFolder(): string {
  const caches = process.env.XDG_CACHE_HOME;
  const base = caches === undefined || caches === "" ? join(homedir(), ".cache") : caches;
  const folder = join(base, "cacheme-test");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Returns the folder for programs. Some servers refuse root and run as `nobody`, who may not read
 * root's home folder. Root's programs are therefore in a folder that everybody may read.
 */
export function programFolder(): string {
  if (process.getuid?.() !== 0) return cacheFolder();
  const folder = "/var/cache/cacheme-test";
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

/**
 * Moves a finished folder to its place in the cache. If two runs finish at once, the first one's
 * folder stays.
 *
 * @param isThere returns whether the place is already filled
 * @throws Error if the move fails and the place is not filled
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
