import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionRows,
  type Duration,
  OptionTable,
  optionError,
  refuseUnknownOptions,
  shown,
  timer,
  wholeNumber,
} from "cacheme/driver";

/** The place of the files. */
export interface FileConnectionOptions {
  /** A path, relative to the working directory or absolute. */
  readonly folder: string;
}

/** How the storage behaves. Everything has a default. */
export interface FileStorageOptions extends ConnectionOptions {
  /**
   * About how many bytes the folder may take on the disk, 65,536 at least. When it takes more, what was longest neither
   * written nor read is removed. Default: no bound.
   */
  readonly maxSize?: number | undefined;
  /**
   * How often expired files are looked for and removed, a sixteenth of the folder each time. No read relies on it.
   * Default `"1m"`.
   */
  readonly sweepInterval?: Duration | undefined;
}

/** Options that were checked. */
export interface Settings extends ConnectionSettings {
  /** `file:///path/to/folder`. */
  readonly label: string;
  /** An absolute path. */
  readonly folder: string;
  readonly maxSize: number | undefined;
  readonly sweepInterval: number;
}

const where = "file()";

/** Below that, what a file takes at least is too much of it for the bound to be kept. */
const leastSize = 65_536;

const optionTable = new OptionTable(where, {
  ...connectionRows,
  maxSize: { kind: wholeNumber(leastSize, "bytes") },
  sweepInterval: { kind: timer, default: "1m" },
});

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an invalid folder or option,
 *   `CACHEME_INVALID_DURATION` for an invalid time
 */
export function settings(
  target: string | URL | FileConnectionOptions,
  options: FileStorageOptions,
): Settings {
  const checked = optionTable.check(options);
  const folder = folderOf(target);
  return { ...checked, label: pathToFileURL(folder).href, folder };
}

function folderOf(target: string | URL | FileConnectionOptions): string {
  if (isUrl(target)) return fromUrl(target);
  if (typeof target === "string") return fromText(target);
  if (typeof target !== "object" || target === null)
    throw optionError(`${where} was given ${shown(target)}. ${forms}`);
  refuseUnknownOptions(target, ["folder"], where);
  const { folder } = target;
  if (typeof folder === "string") return path(folder);
  throw optionError(`The connection option folder of ${where} is ${shown(folder)}. Give a path.`);
}

/** Under jsdom the global URL and that of Node are two classes. */
function isUrl(target: string | URL | FileConnectionOptions): target is URL {
  return typeof target === "object" && target !== null && "href" in target && "protocol" in target;
}

/** A path is a path; only what begins like a URL is one. */
function fromText(text: string): string {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(text) ?? [];
  if (scheme === undefined) return path(text);
  if (scheme.toLowerCase() !== "file")
    throw optionError(`${where} was given an address of another kind. ${forms}`);
  if (!/^file:\/\//i.test(text) || !URL.canParse(text)) {
    throw optionError(`${where} was given an address without three slashes. ${forms}`);
  }
  return fromUrl(new URL(text));
}

function fromUrl(url: URL): string {
  if (url.protocol !== "file:") throw optionError(`${where} was given an address of another kind. ${forms}`);
  if (url.search !== "" || url.hash !== "") {
    throw optionError(
      `${where} was given an address with "?" or "#" in it. Write "%3F" and "%23", or give a path. ${forms}`,
    );
  }
  try {
    return path(fileURLToPath(url));
  } catch (cause) {
    throw optionError(`${where} was given an address that names no folder of this machine. ${forms}`, cause);
  }
}

function path(folder: string): string {
  if (folder === "" || folder.includes("\0"))
    throw optionError(`${where} was given ${shown(folder)} as a folder. ${forms}`);
  return resolve(folder);
}

const forms = 'Give a path ("cache/files"), an address ("file:///var/cache/app"), a URL, or { folder }.';
