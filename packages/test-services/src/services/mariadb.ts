import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { quote } from "../machine/quote.js";
import { probe } from "../network/probe.js";
import type { ServerPlace, ServiceDefinition } from "./service-definition.js";

/** The server's settings, wherever it runs. A SIGKILL may lose the last second's commits. */
const settings = [
  ...["--max-connections=200", "--max-allowed-packet=64M", "--innodb-flush-log-at-trx-commit=0"],
  ...["--innodb-buffer-pool-size=64M", "--innodb-flush-method=nosync", "--skip-log-bin"],
  // Whether it is ready is asked by connections that end before they log in: it must not take them for an attack.
  ...["--skip-name-resolve", "--max-connect-errors=1000000000"],
];

const redoLog = "--innodb-log-file-size=32M";

/** Statements of the server's first start; one a line, as `--init-file` wants them. */
const accounts = `CREATE DATABASE IF NOT EXISTS cacheme;
CREATE USER IF NOT EXISTS cacheme@'%' IDENTIFIED BY 'cacheme';
GRANT ALL PRIVILEGES ON *.* TO cacheme@'%' WITH GRANT OPTION;
`;

/**
 * MariaDB: the user `cacheme` with the password `cacheme`, who may do everything, and the database `cacheme`. MySQL 8
 * serves the same suites by its address in `MYSQL_URL`.
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
  // The server speaks first, as soon as it serves: a packet of 4 bytes' head, then the version of the handshake or an error.
  ready: (port, milliseconds) =>
    probe(port, milliseconds, "", (heard) => (heard.length < 5 ? undefined : heard[4] === 0x0a)),
};

/** What mariadb-install-db does; Debian's needs a program of a package that brings much more. */
function systemTables(binary: string, data: string): string {
  const server = `${quote(binary)} --no-defaults --bootstrap --datadir=${quote(data)} ${redoLog}`;
  const statements = systemStatements(shares(binary)).map(quote);
  return (
    `set -e; mkdir -p ${quote(join(data, "mysql"))}; ` +
    `{ echo "use mysql;"; echo "set @auth_root_socket=NULL;"; cat ${statements.join(" ")}; } | ${server}`
  );
}

/** Where a package of MariaDB keeps its statements: beside the server, or where Debian does. */
function shares(binary: string): readonly string[] {
  const beside = join(dirname(realpathSync(binary)), "../share");
  return [join(beside, "mariadb"), join(beside, "mysql"), "/usr/share/mariadb", "/usr/share/mysql"];
}

/**
 * The files with the statements that make the system's tables: MariaDB 11 has them under other names, in another folder.
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
