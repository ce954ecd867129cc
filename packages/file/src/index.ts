import type { RemoteStorage } from "cacheme";
import { DriverStorage } from "cacheme/driver";
import { FileDriver } from "./driver.js";
import { type FileConnectionOptions, type FileStorageOptions, settings } from "./options.js";

export type { FileConnectionOptions, FileStorageOptions } from "./options.js";

/**
 * A storage in a folder of files, one an entry: works without a server, and is shared by the processes of one machine.
 *
 * @param target the folder of the files: a path, an address (`file:///var/cache/app`), a `URL`, or `{ folder }`. Folders that
 *   are not there are made. The folder must be empty or have the storage's marker file, `.cacheme-file-storage`.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for an invalid folder or option
 *
 * Calls reject with a `StorageError`: `CACHEME_CONNECT_FAILED` where the folder cannot be used, `CACHEME_FOREIGN_DATA`
 * if it holds other things and no marker, or a symbolic link in the place of a folder of the storage's,
 * `CACHEME_STORAGE_FAILED` where the disk answers with an error or not in time, `CACHEME_CLOSED` after `close()`. A file that is cut off, damaged or
 * not ours is a miss.
 *
 * @example
 * ```ts
 * await registerStorage("disk", file("/var/cache/app"));
 * await registerStorage("pages", file("file:///var/cache/pages", { maxSize: 500_000_000, commandTimeout: "5s" }));
 * ```
 */
export function file(
  target: string | URL | FileConnectionOptions,
  options: FileStorageOptions = {},
): RemoteStorage {
  const checked = settings(target, options);
  return new DriverStorage(new FileDriver(checked), checked);
}
