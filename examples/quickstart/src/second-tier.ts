import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startRedis } from "./redis-server.js";

/** The storage behind the memory. */
export interface SecondTier {
  /** The name in the table. */
  readonly name: string;
  readonly url: string;
  /** Removes everything that exists only for the quickstart. */
  stop(): Promise<void>;
}

const names: Readonly<Record<string, string>> = {
  file: "files",
  mariadb: "MariaDB",
  memcached: "Memcached",
  mongodb: "MongoDB",
  mysql: "MySQL",
  postgres: "PostgreSQL",
  postgresql: "PostgreSQL",
  redis: "Redis",
  sqlite: "SQLite",
  valkey: "Valkey",
};

/**
 * Returns the storage at the given address, from the command or from `CACHE_URL`. Without an
 * address, it is a temporary Redis if PATH has one, else a folder of files.
 */
export async function secondTier(): Promise<SecondTier> {
  const given = process.argv[2] ?? process.env.CACHE_URL;
  if (given !== undefined) return { name: nameOf(given), url: given, stop: async () => {} };
  const redis = await startRedis();
  if (redis !== undefined) return { name: "Redis", ...redis };
  const folder = await mkdtemp(join(tmpdir(), "cacheme-quickstart-"));
  return {
    name: "files",
    url: pathToFileURL(folder).href,
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Names the storage by its scheme, without the part after a plus sign, as in `redis+cluster://`.
 */
function nameOf(url: string): string {
  const scheme = /^[a-z0-9]*/i.exec(url)?.[0].toLowerCase() ?? "";
  return names[scheme] ?? (scheme || "the second storage");
}
