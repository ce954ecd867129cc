import { numberOf } from "./session.js";

/** What to do about an error of the server, by its number. */
const remedies: ReadonlyMap<number, string> = new Map([
  [1040, "Raise max_connections on the server, or lower connectionLimit."],
  [1044, "Grant the user what it needs on this table."],
  [1054, "The table is not the storage's own: name another one."],
  [1142, "Grant the user what it needs on this table."],
  [1146, "The table is gone: make it of what mysqlTable() prints."],
  [1153, "The server's max_allowed_packet was lowered meanwhile: make a new storage, or raise it."],
  [1205, "Another transaction holds a lock for long: find it in SHOW ENGINE INNODB STATUS."],
  [1213, "It was tried twice. Other programs that use the table may take its locks in another order."],
  [1290, "The server takes no writes."],
  [1461, "Raise max_prepared_stmt_count on the server, or lower connectionLimit."],
  [1836, "The server takes no writes."],
]);

export function advice(error: Error): string {
  const number = numberOf(error);
  if (number === undefined)
    return "The connection was lost meanwhile; the storage makes a new one by itself.";
  return remedies.get(number) ?? "The server refused the statement; its words say why.";
}

/** The statement may be long, and says nothing to whoever reads the message. Values are not in it. */
export function clean(error: Error): Error {
  if ("sql" in error) Reflect.deleteProperty(error, "sql");
  return error;
}
