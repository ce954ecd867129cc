import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { quote } from "../machine/quote.js";
import { probe } from "../network/probe.js";
import type { ServerPlace, ServiceDefinition } from "./service-definition.js";

/**
 * The server's settings, as a process and in a container. Commits are not synced, but survive a
 * SIGKILL.
 */
const settings = [
  ...["--max-connections=200", "--max-allowed-packet=64M", "--innodb-flush-log-at-trx-commit=2"],
  ...["--innodb-buffer-pool-size=64M", "--innodb-flush-method=nosync", "--skip-log-bin"],
  // The readiness check connects and hangs up before the login: the server must not block it as an
  // attack.
  ...["--skip-name-resolve", "--max-connect-errors=1000000000"],
];

const redoLog = "--innodb-log-file-size=32M";

/** The statements for the server's first start, one per line as `--init-file` requires. */
const accounts = `CREATE DATABASE IF NOT EXISTS cacheme;
CREATE USER IF NOT EXISTS cacheme@'%' IDENTIFIED BY 'cacheme';
GRANT ALL PRIVILEGES ON *.* TO cacheme@'%' WITH GRANT OPTION;
`;

/**
 * MariaDB with the database `cacheme`, and the user `cacheme` with the password `cacheme` and all
 * privileges. MySQL 8 serves the same suites by its address in `MYSQL_URL`.
 */
export const mysql: ServiceDefinition = {
  title: "MariaDB",
  urlVariable: "MYSQL_URL",
  usualPort: 3306,
  binaries: ["mariadbd"],
  debianPackages: ["mariadb-server-core"],
  container: {
    image: "mariadb:10.11",
    port: 3306,
    environment: {
      MARIADB_USER: "cacheme",
      MARIADB_PASSWORD: "cacheme",
      MARIADB_DATABASE: "cacheme",
      MARIADB_ROOT_PASSWORD: "cacheme",
    },
    command: () => ["mariadbd", ...settings],
  },
  refusesRoot: true,
  template: (binary, folder) => [["sh", "-c", systemTables(binary, join(folder, "data"))]],
  files: () => ({ "accounts.sql": accounts }),
  arguments: words,
  url: (port) => `mysql://cacheme:cacheme@127.0.0.1:${port}/cacheme`,
  // A ready server speaks first: a head of 4 bytes, then the version of the handshake or an error.
  ready: (port, milliseconds) =>
    probe(port, milliseconds, "", (heard) => (heard.length < 5 ? undefined : heard[4] === 0x0a)),
};

/**
 * Returns the commands of mariadb-install-db. Debian's own needs a program of a much larger
 * package.
 */
function systemTables(binary: string, data: string): string {
  const server = `${quote(binary)} --no-defaults --bootstrap --datadir=${quote(data)} ${redoLog}`;
  const statements = systemStatements(shares(binary)).map(quote);
  return (
    `set -e; mkdir -p ${quote(join(data, "mysql"))}; ` +
    `{ echo "use mysql;"; echo "set @auth_root_socket=NULL;"; cat ${statements.join(" ")}; } | ${server}`
  );
}

/** Returns the folders of MariaDB's statements: beside the server, or Debian's. */
function shares(binary: string): readonly string[] {
  const beside = join(dirname(realpathSync(binary)), "../share");
  return [join(beside, "mariadb"), join(beside, "mysql"), "/usr/share/mariadb", "/usr/share/mysql"];
}

/**
 * Returns the files with the statements that create the system tables. MariaDB 11 has other names
 * for them, in another folder.
 *
 * @throws Error if no folder has them
 */
export function systemStatements(folders: readonly string[]): readonly string[] {
  for (const folder of folders) {
    for (const prefix of ["mariadb", "mysql"]) {
      const files = ["system_tables", "performance_tables", "system_tables_data"].map((name) =>
        join(folder, `${prefix}_${name}.sql`),
      );
      if (files.every((file) => existsSync(file))) return files;
    }
  }
  throw new Error(`There are no statements for MariaDB's system tables in ${folders.join(", ")}.`);
}

function words({ host, port, folder }: ServerPlace): readonly string[] {
  return [
    ...["--no-defaults", `--datadir=${join(folder, "data")}`, `--init-file=${join(folder, "accounts.sql")}`],
    ...[`--bind-address=${host}`, `--port=${port}`, `--socket=${join(folder, "socket")}`],
    ...[`--pid-file=${join(folder, "pid")}`, redoLog, ...settings],
  ];
}
