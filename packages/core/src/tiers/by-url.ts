import { isBuiltin } from "node:module";
import type { ConnectionOptions } from "../driver/connection-options.js";
import { ConfigurationError } from "../errors.js";
import { importInstalled, isMissing } from "../import-installed.js";
import { optionError, refuseUnknownOptions } from "../option-checks.js";
import type { LocalStorage } from "../storage/local-storage.js";
import type { RemoteStorage } from "../storage/remote-storage.js";
import { memory } from "../storages/memory.js";
import { nullStorage } from "../storages/null-storage.js";

/**
 * Makes a storage from its address.
 *
 * @param url the whole address, with its scheme; it may hold a password, so keep it out of messages
 */
export type StorageFactory = (
  url: string,
  options: ConnectionOptions,
) => LocalStorage | RemoteStorage | Promise<LocalStorage | RemoteStorage>;

/** A package of ours: the function that makes a storage, and the packages installed beside it. */
interface KnownPackage {
  readonly name: string;
  readonly factory: string;
  readonly client?: string;
}

const redis: KnownPackage = { name: "@cacheme/redis", factory: "redis", client: "ioredis" };
const glide: KnownPackage = { name: "@cacheme/glide", factory: "glide", client: "@valkey/valkey-glide" };
const mongodb: KnownPackage = { name: "@cacheme/mongodb", factory: "mongodb", client: "mongodb" };
const postgres: KnownPackage = { name: "@cacheme/postgres", factory: "postgres", client: "pg" };
const mysql: KnownPackage = { name: "@cacheme/mysql", factory: "mysql", client: "mysql2" };
const sqlite: KnownPackage = {
  name: "@cacheme/sqlite",
  factory: "sqlite",
  ...(isBuiltin("node:sqlite") ? {} : { client: "better-sqlite3@12" }),
};
const memcached: KnownPackage = { name: "@cacheme/memcached", factory: "memcached" };
const file: KnownPackage = { name: "@cacheme/file", factory: "file" };

const knownPackages: ReadonlyMap<string, KnownPackage> = new Map(
  Object.entries({
    redis,
    rediss: redis,
    "redis+cluster": redis,
    "rediss+cluster": redis,
    "redis+sentinel": redis,
    "rediss+sentinel": redis,
    valkey: redis,
    valkeys: redis,
    "valkey+cluster": redis,
    "valkeys+cluster": redis,
    "valkey+sentinel": redis,
    "valkeys+sentinel": redis,
    glide,
    glides: glide,
    "glide+cluster": glide,
    "glides+cluster": glide,
    mongodb,
    "mongodb+srv": mongodb,
    postgres,
    postgresql: postgres,
    mysql,
    mariadb: mysql,
    sqlite,
    memcached,
    memcacheds: memcached,
    file,
  }),
);

const registered = new Map<string, StorageFactory>([
  ["memory", memoryByUrl],
  ["null", nullByUrl],
]);

/**
 * Lets `registerStorage(name, url)` make storages of your own from addresses that begin with
 * `scheme:`.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` if the scheme is invalid or taken
 * @example
 * ```ts
 * registerScheme("couch", (url, options) => couch(url, options));
 * await registerStorage("documents", "couch://localhost:5984/cache");
 * ```
 */
export function registerScheme(scheme: string, factory: StorageFactory): void {
  if (!/^[a-z][a-z0-9+.-]*$/.test(scheme)) {
    throw optionError(
      `registerScheme expected a scheme, got ${JSON.stringify(scheme)}. Give the part before the colon of an address, in small letters, such as "couch".`,
    );
  }
  if (registered.has(scheme) || knownPackages.has(scheme)) {
    throw optionError(`The scheme "${scheme}" has a storage already. Register yours under another scheme.`);
  }
  if (typeof factory !== "function") {
    throw optionError(
      `registerScheme("${scheme}", …) expected a function. Give a function that makes a storage from an address.`,
    );
  }
  registered.set(scheme, factory);
}

/** Imports a package as the program would. Tests pass their own. */
export type Importer = (name: string) => Promise<Readonly<Record<string, unknown>>>;

/**
 * Returns the storage at an address, by its scheme.
 *
 * @throws ConfigurationError `CACHEME_UNKNOWN_SCHEME`, or `CACHEME_MISSING_PACKAGE` with the
 *   package to install
 */
export async function storageByUrl(
  url: string,
  options: ConnectionOptions,
  importer: Importer = importInstalled,
): Promise<LocalStorage | RemoteStorage> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
  const factory = scheme === undefined ? undefined : registered.get(scheme);
  if (factory !== undefined) return factory(url, options);
  const known = scheme === undefined ? undefined : knownPackages.get(scheme);
  if (scheme === undefined || known === undefined) throw unknownScheme(scheme);
  const found = await importer(known.name).catch((cause: unknown) => {
    throw isMissing(cause) ? missingPackage(scheme, known, cause) : cause;
  });
  const made = found[known.factory];
  if (typeof made !== "function") {
    throw optionError(
      `The package ${known.name} that was found has no ${known.factory}(). Install its current version.`,
    );
  }
  // The package is ours, so its function takes the arguments of a StorageFactory.
  return (made as StorageFactory)(url, options);
}

function memoryByUrl(url: string, options: ConnectionOptions): LocalStorage {
  refuseUnknownOptions(options, connectionOptions, 'registerStorage with a "memory:" address');
  const { searchParams } = new URL(url);
  const size = searchParams.get("maxSize");
  for (const name of searchParams.keys()) {
    if (name !== "maxSize") {
      throw optionError(
        `The address of a memory storage has the parameter ${JSON.stringify(name)}. It takes maxSize only, such as ` +
          '"memory:?maxSize=10000"; give the rest to memory().',
      );
    }
  }
  return memory(size === null ? {} : { maxSize: Number(size) });
}

function nullByUrl(url: string, options: ConnectionOptions): LocalStorage {
  refuseUnknownOptions(options, connectionOptions, 'registerStorage with a "null:" address');
  const { search } = new URL(url);
  if (search !== "") throw optionError('The address of a null storage has parameters. Write "null:" alone.');
  return nullStorage();
}

/**
 * The options for connections. They mean nothing to a local storage, but a program with a
 * configured address passes them to any storage.
 */
const connectionOptions: readonly (keyof ConnectionOptions)[] = [
  "connect",
  "commandTimeout",
  "connectTimeout",
];

/** Returns an error without the address, which may hold a password. */
function unknownScheme(scheme: string | undefined): ConfigurationError {
  const known = [...registered.keys(), ...knownPackages.keys()].sort().join(", ");
  const what =
    scheme === undefined ? "a string that is not an address" : `an address with the scheme "${scheme}"`;
  return new ConfigurationError(
    "CACHEME_UNKNOWN_SCHEME",
    `registerStorage got ${what}. Known schemes: ${known}. Add others with registerScheme.`,
  );
}

function missingPackage(
  scheme: string,
  { name, factory, client }: KnownPackage,
  cause: unknown,
): ConfigurationError {
  const install = client === undefined ? name : `${name} ${client}`;
  return new ConfigurationError(
    "CACHEME_MISSING_PACKAGE",
    `Storages with an address that begins with "${scheme}:" need the package ${name}, but the package or one of its dependencies is ` +
      `missing. Install it: npm install ${install}. In a bundle import it instead of passing an address: ` +
      `import { ${factory} } from "${name}", then registerStorage(name, ${factory}(url)).`,
    { cause },
  );
}
