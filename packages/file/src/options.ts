import { fileURLToPath, pathToFileURL } from "node:url";
import * as kit from "cacheme/driver";

/** The place of the files. */
export interface FileConnectionOptions {
  /** A path, relative to the working directory or absolute. */
  readonly folder: string;
}

/** How the storage behaves. Everything has a default. */
export interface FileStorageOptions extends kit.ConnectionOptions {
  /**
   * The size of the folder on the disk in bytes, about, at least 65,536. Beyond it, files that were not
   * used for the longest time are removed. Default: no bound.
   */
  readonly maxSize?: number | undefined;
  /** The time between removals of expired files, a sixteenth of the folder each. Default `"1m"`. */
  readonly sweepInterval?: kit.Duration | undefined;
}

/** Options that were checked. */
export interface Settings extends kit.ConnectionSettings {
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

const optionTable = new kit.OptionTable(where, {
  ...kit.connectionRows,
  maxSize: { kind: kit.wholeNumber(leastSize, "bytes") },
  sweepInterval: { kind: kit.timer, default: "1m" },
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function settings(
  target: string | URL | FileConnectionOptions,
  options: FileStorageOptions,
): Settings {
  const checked = optionTable.check(options);
  const folder = isUrl(target) ? paths.absolute(fromUrl(target)) : paths.of(target);
  return { ...checked, label: pathToFileURL(folder).href, folder };
}

const paths: kit.LocalPaths = new kit.LocalPaths({
  where,
  option: "folder",
  scheme: "file",
  forms: 'Give a path ("cache/files"), an address ("file:///var/cache/app"), a URL, or { folder }.',
  fromAddress(address) {
    if (/^file:\/\//i.test(address) && URL.canParse(address)) return fromUrl(new URL(address));
    throw paths.refused("an address without three slashes");
  },
});

/** Under jsdom the global URL and that of Node are two classes. */
function isUrl(target: string | URL | FileConnectionOptions): target is URL {
  return typeof target === "object" && target !== null && "href" in target && "protocol" in target;
}

function fromUrl(url: URL): string {
  if (url.protocol !== "file:") throw paths.refused("an address of another kind");
  if (url.search !== "" || url.hash !== "") throw paths.withQuery();
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw paths.refused("an address that names no folder of this machine", cause);
  }
}
