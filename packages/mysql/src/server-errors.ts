import { codeOf, type ErrorTable, errorTable, isError } from "cacheme/driver";

export const serverErrors: ErrorTable = errorTable({
  codeOf: (error) => String(numberOf(error) ?? ""),
  needs: "MySQL 8.0.13 or newer, or MariaDB 10.5 or newer",
  // The statement may be long, and says nothing to a reader of the message. It has no values.
  removed: ["sql"],
  isAnswer: (error) => /^(AUTH_|HANDSHAKE_)/.test(codeOf(error)),
  full: ["1021", "1037", "1038", "1041", "1114"],
  // The server has undone a statement that waited too long for a lock, too.
  conflicts: ["1205", "1213"],
  advice: {
    1040: "Raise max_connections on the server, or lower connectionLimit.",
    1044: "Grant the user what it needs on this database.",
    1045: "Check the user and the password.",
    1046: "Name the database in the address, or in the option table.",
    1049: "Make the database, or name another one.",
    1054: "The table is not the storage's own: name another one.",
    1142: "Grant the user what it needs on this table.",
    1129: "Run FLUSH HOSTS on the server: too many connections of this machine were broken off.",
    1130: "Allow the user to connect from this machine.",
    1143: "Grant the user what it needs on this table.",
    1146: "The table is gone: create it with the statement of mysqlTable().",
    1153: "The server's max_allowed_packet was lowered meanwhile: make a new storage, or raise it.",
    1205: "Another transaction holds a lock for long: find it in SHOW ENGINE INNODB STATUS.",
    1213: "It was tried twice. Other programs that use the table may take its locks in another order.",
    1290: "The server takes no writes: give the address of the primary.",
    1461: "Raise max_prepared_stmt_count on the server, or lower connectionLimit.",
    1698: "Check the user and the password.",
    1792: "The server takes no writes: give the address of the primary.",
    1836: "The server takes no writes: give the address of the primary.",
    RecordTooLarge: "Store less, or raise max_allowed_packet on the server.",
  },
});

/** Returns the server's number for an error, such as 1213. Those of the system are negative. */
export function numberOf(error: unknown): number | undefined {
  const number: unknown = isError(error) ? Reflect.get(error, "errno") : undefined;
  return typeof number === "number" && number > 0 ? number : undefined;
}
