import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  ConfigurationError,
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
  type Duration,
  milliseconds,
} from "cacheme/driver";

/** Where the files are. */
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

const known: Readonly<Record<keyof FileStorageOptions, true>> = {
  commandTimeout: true,
  connect: true,
  connectTimeout: true,
  maxSize: true,
  sweepInterval: true,
};

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for a folder or an option that cannot be meant,
 *   `CACHEME_INVALID_DURATION` for a time that is no duration
 */
export function settings(
  target: string | URL | FileConnectionOptions,
  options: FileStorageOptions,
): Settings {
  refuseUnknown(options, known, "option");
  const { maxSize, sweepInterval = "1m" } = options;
  if (maxSize !== undefined && !(Number.isSafeInteger(maxSize) && maxSize >= leastSize)) {
    throw invalid(
      `The option maxSize of ${where} is ${show(maxSize)}. Give whole bytes, ${leastSize} at least.`,
    );
  }
  const folder = folderOf(target);
  return {
    ...connectionSettings(options, where),
    label: pathToFileURL(folder).href,
    folder,
    maxSize,
    sweepInterval: milliseconds(sweepInterval, `option sweepInterval of ${where}`),
  };
}

function folderOf(target: string | URL | FileConnectionOptions): string {
  if (target instanceof URL) return fromUrl(target);
  if (typeof target === "string") return fromText(target);
  if (typeof target !== "object" || target === null)
    throw invalid(`${where} was given ${show(target)}. ${forms}`);
  refuseUnknown(target, { folder: true }, "connection option");
  const { folder } = target;
  if (typeof folder === "string") return path(folder);
  throw invalid(`The connection option folder of ${where} is ${show(folder)}. Give a path.`);
}

/** A path is a path; only what begins like a URL is one. */
function fromText(text: string): string {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):/i.exec(text) ?? [];
  if (scheme === undefined) return path(text);
  if (scheme.toLowerCase() !== "file")
    throw invalid(`${where} was given an address of another kind. ${forms}`);
  if (!/^file:\/\//i.test(text) || !URL.canParse(text)) {
    throw invalid(`${where} was given an address without three slashes. ${forms}`);
  }
  return fromUrl(new URL(text));
}

function fromUrl(url: URL): string {
  if (url.protocol !== "file:") throw invalid(`${where} was given an address of another kind. ${forms}`);
  if (url.search !== "" || url.hash !== "") {
    throw invalid(
      `${where} was given an address with "?" or "#" in it. Write "%3F" and "%23", or give a path. ${forms}`,
    );
  }
  try {
    return path(fileURLToPath(url));
  } catch (cause) {
    throw invalid(`${where} was given an address that names no folder of this machine. ${forms}`, cause);
  }
}

function path(folder: string): string {
  if (folder === "" || folder.includes("\0"))
    throw invalid(`${where} was given ${show(folder)} as a folder. ${forms}`);
  return resolve(folder);
}

const forms = 'Give a path ("cache/files"), an address ("file:///var/cache/app"), a URL, or { folder }.';

function refuseUnknown(options: object, names: Readonly<Record<string, true>>, what: string): void {
  if (typeof options !== "object" || options === null) {
    throw invalid(`${where} was given ${show(options)} as its options. Give an object.`);
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  throw invalid(`${where} has no ${what} ${show(unknown)}. There are: ${Object.keys(names).join(", ")}.`);
}

function invalid(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError("CACHEME_INVALID_OPTION", message, { cause });
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
