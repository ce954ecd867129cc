import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { quote } from "../machine/quote.js";
import { probe } from "../network/probe.js";
import type { ServiceDefinition } from "./service-definition.js";

/**
 * The server's settings, as a process and in a container. Commits are written but not synced: they
 * survive a SIGKILL.
 */
const settings = [
  ...["-c", "fsync=off", "-c", "full_page_writes=off"],
  ...["-c", "max_connections=200", "-c", "max_wal_size=1GB", "-c", "autovacuum_naptime=10s"],
  // Files of the data folder are removed with it; POSIX shared memory would outlive a killed
  // server.
  ...["-c", "dynamic_shared_memory_type=mmap"],
];

/** PostgreSQL with the superuser `cacheme`, any password, and the database `postgres`. */
export const postgres: ServiceDefinition = {
  title: "PostgreSQL",
  urlVariable: "POSTGRES_URL",
  usualPort: 5432,
  binaries: ["postgres"],
  folders: installedVersions,
  debianPackages: ["postgresql"],
  container: {
    image: "postgres:15",
    port: 5432,
    environment: {
      POSTGRES_USER: "cacheme",
      POSTGRES_DB: "postgres",
      POSTGRES_HOST_AUTH_METHOD: "trust",
    },
    command: () => ["postgres", ...settings],
  },
  refusesRoot: true,
  template: (binary, folder) => [
    [
      // PATH may have only a link to the server. The link's target has initdb beside it.
      join(dirname(realpathSync(binary)), "initdb"),
      ...["--pgdata", join(folder, "data"), "--username=cacheme", "--auth=trust"],
      ...["--no-locale", "--encoding=UTF8", "--wal-segsize=1", "--no-sync"],
    ],
  ],
  arguments: ({ host, port, folder }) => [
    ...["-D", join(folder, "data"), "-k", folder, "-p", String(port)],
    ...["-c", `listen_addresses=${host}`, ...settings],
  ],
  leftovers: (folder) => {
    // A small System V segment keeps a second server out of the data folder. A killed server leaves
    // it behind.
    const owner = quote(join(folder, "data/postmaster.pid"));
    return `segment=$(sed -n 7p ${owner} | tr -s ' ' | cut -d' ' -f3); [ -z "$segment" ] || ipcrm -m "$segment"`;
  },
  url: (port) => `postgres://cacheme:cacheme@127.0.0.1:${port}/postgres`,
  ready: answersQueries,
};

/** Returns Debian's folders of each version's server, which are on nobody's PATH. */
function installedVersions(): readonly string[] {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return [];
  const versions = readdirSync(root).sort((one, other) => Number(other) - Number(one));
  return versions.map((version) => join(root, version, "bin"));
}

/**
 * Returns whether `SELECT 1` is answered. A server that starts or recovers answers with an error.
 */
function answersQueries(port: number, milliseconds: number): Promise<boolean> {
  const parameters = Buffer.from("user\0cacheme\0database\0postgres\0\0");
  const startup = Buffer.alloc(8);
  startup.writeInt32BE(8 + parameters.length, 0);
  startup.writeInt32BE(0x0003_0000, 4);
  const text = Buffer.from("SELECT 1\0");
  const query = Buffer.alloc(5, "Q");
  query.writeInt32BE(4 + text.length, 1);
  return probe(port, milliseconds, Buffer.concat([startup, parameters, query, text]), judge);
}

/**
 * Reads messages of protocol 3.0: a letter, a length that counts itself, and a body. `C` completes
 * a query.
 */
function judge(heard: Buffer): boolean | undefined {
  for (let at = 0; at + 5 <= heard.length; at += 1 + heard.readInt32BE(at + 1)) {
    const letter = String.fromCharCode(heard.readUInt8(at));
    if (letter === "C") return true;
    if (letter === "E") return false;
  }
  return undefined;
}
