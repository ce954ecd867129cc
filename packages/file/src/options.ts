import { fileURLToPath, pathToFileURL } from "node:url";
import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionRows,
  type Duration,
  LocalPaths,
  OptionTable,
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
  const folder = isUrl(target) ? paths.absolute(fromUrl(target)) : paths.of(target);
  return { ...checked, label: pathToFileURL(folder).href, folder };
}

const paths: LocalPaths = new LocalPaths({
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
