import { join } from "node:path";
import { probe } from "../network/probe.js";
import type { ServiceDefinition } from "./service-definition.js";

/** PgBouncer without a database, only with its console. */
export const pgbouncer: ServiceDefinition = pooler("");

/** Describes PgBouncer in front of a server of PostgreSQL. */
export function pgbouncerFor(port: number, mode: "session" | "transaction"): ServiceDefinition {
  return pooler(`postgres = host=127.0.0.1 port=${port} user=cacheme dbname=postgres`, `pool_mode = ${mode}`);
}

function pooler(database: string, ...settings: readonly string[]): ServiceDefinition {
  return {
    title: "PgBouncer",
    urlVariable: "PGBOUNCER_URL",
    usualPort: 6432,
    binaries: ["pgbouncer"],
    folders: () => ["/usr/sbin"],
    debianPackages: ["pgbouncer"],
    refusesRoot: true,
    files: ({ host, port }) => ({
      "pgbouncer.ini": [
        ...["[databases]", database, "[pgbouncer]"],
        ...[`listen_addr = ${host}`, `listen_port = ${port}`, "unix_socket_dir =", "auth_type = any"],
        ...settings,
        "",
      ].join("\n"),
    }),
    arguments: ({ folder }) => [join(folder, "pgbouncer.ini")],
    url: (port) => `postgres://cacheme:cacheme@127.0.0.1:${port}/postgres`,
    ready: opensConsole,
  };
}

/** Returns whether the console accepts a connection. */
function opensConsole(port: number, milliseconds: number): Promise<boolean> {
  const parameters = Buffer.from("user\0cacheme\0database\0pgbouncer\0\0");
  const startup = Buffer.alloc(8);
  startup.writeInt32BE(8 + parameters.length, 0);
  startup.writeInt32BE(0x0003_0000, 4);
  return probe(port, milliseconds, Buffer.concat([startup, parameters]), (heard) =>
    heard.length === 0 ? undefined : heard.toString("latin1").startsWith("R"),
  );
}
