import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startRedis } from "./redis-server.js";

/** The storage behind the memory. */
export interface SecondTier {
  /** What to call it in the table. */
  readonly name: string;
  readonly url: string;
  /** Removes what was only there for the quickstart. */
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
 * The storage at the address that was given, with the command or as `CACHE_URL`. Without one, a Redis of our own where there
 * is one on PATH, else a folder of files.
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

/** By the scheme without what goes on after a plus sign, as in `redis+cluster://`. */
function nameOf(url: string): string {
  const scheme = /^[a-z0-9]*/i.exec(url)?.[0].toLowerCase() ?? "";
  return names[scheme] ?? (scheme || "the second storage");
}
