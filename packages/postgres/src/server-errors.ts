import { codeOf, type ErrorTable, errorTable } from "cacheme/driver";
import { OpenTransaction } from "./transaction-status.js";

export const serverErrors: ErrorTable = errorTable({
  codeOf: (error) => (isServers(error) || error instanceof OpenTransaction ? codeOf(error) : ""),
  needs: "PostgreSQL 12 or newer",
  // They may hold values.
  removed: ["detail", "where", "internalQuery", "client"],
  isAnswer: ({ message }) => /^(SASL|SCRAM|The server does not support|Unknown auth)/.test(message),
  full: ["53100", "53200"],
  conflicts: ["40P01", "40001"],
  advice: {
    "08P01":
      "If the address is PgBouncer's, give prepare: false, or list statement_timeout and options in its ignore_startup_parameters.",
    "22021": "The database's encoding must be UTF8.",
    "22P05": "The database's encoding must be UTF8.",
    "25001":
      "Before pgpool-II set backend_clustering_mode to streaming_replication or another mode than raw. In a Pool of your own, " +
      "end each transaction before you release its client.",
    "25006": "Give the address of the primary server: a standby takes no writes.",
    "26000":
      "If a pooler stands before the server, such as PgBouncer in transaction mode, give prepare: false.",
    "28000": "Check the user, and that pg_hba.conf lets it in from here.",
    "28P01": "Check the user and the password.",
    "3D000": "Make the database, or name another one.",
    "3F000": "Make the schema, or name a table in another one.",
    "40001": "It was tried twice. Too many processes write the same keys at once.",
    "40P01": "It was tried twice. Too many processes write the same keys at once.",
    "42501":
      "Grant the database user SELECT, INSERT, UPDATE and DELETE on the table; to make it, CREATE on the schema.",
    "42703": "The table is not one that postgres() has made: name another one with the option table.",
    "42P01": "Make the table with the statements of postgresTable(), or leave createTable on.",
    "42P05":
      "If a pooler stands before the server, such as PgBouncer in transaction mode, give prepare: false.",
    "53300": "Raise the server's max_connections, or give fewer connections (max) to each process.",
    "53100": "Make room on the server's disk.",
    "53200": "Give the server more memory.",
    "57014":
      "The server stopped it after commandTimeout. Check that it is not busy with something slow, or raise it.",
    "57P03": "Wait until the server has started.",
  },
});

function isServers(error: unknown): boolean {
  return typeof error === "object" && error !== null && "severity" in error;
}
