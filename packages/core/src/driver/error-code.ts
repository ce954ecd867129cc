import { isError } from "../errors.js";

/**
 * Returns the code of an error, such as `ENOENT` of the file system; `""` if it has none. For authors of storages.
 *
 * @example
 * ```ts
 * if (codeOf(error) !== "EEXIST") throw error;
 * ```
 */
export function codeOf(error: unknown): string {
  return isError(error) && "code" in error ? String(error.code) : "";
}
