import { numberOf } from "./session.js";

/** What to do about an error of the server, by its number. */
const remedies: ReadonlyMap<number, string> = new Map([
  [1040, "Raise max_connections on the server, or lower connectionLimit."],
  [1044, "Grant the user what it needs on this database."],
  [1045, "Check the user and the password."],
  [1049, "Make the database, or name another one."],
  [1054, "The table is not the storage's own: name another one."],
  [1142, "Grant the user what it needs on this table."],
  [1129, "Run FLUSH HOSTS on the server: too many connections of this machine were broken off."],
  [1130, "Allow the user to connect from this machine."],
  [1143, "Grant the user what it needs on this table."],
  [1146, "The table is gone: make it of what mysqlTable() prints."],
  [1153, "The server's max_allowed_packet was lowered meanwhile: make a new storage, or raise it."],
  [1205, "Another transaction holds a lock for long: find it in SHOW ENGINE INNODB STATUS."],
  [1213, "It was tried twice. Other programs that use the table may take its locks in another order."],
  [1290, "The server takes no writes: give the address of the primary."],
  [1461, "Raise max_prepared_stmt_count on the server, or lower connectionLimit."],
  [1698, "Check the user and the password."],
  [1792, "The server takes no writes: give the address of the primary."],
  [1836, "The server takes no writes: give the address of the primary."],
]);

/** No room on the disk, in the tablespace or in memory. */
const fullErrors: ReadonlySet<number | undefined> = new Set([1021, 1037, 1038, 1041, 1114]);

/** A statement that others were in the way of. */
const lockErrors: ReadonlySet<number | undefined> = new Set([1205, 1213]);

/** Whether the server has no room for what was to be stored. */
export function isFull(error: unknown): boolean {
  return fullErrors.has(numberOf(error));
}

/** Whether an error of the trial says nothing of the server's kind. */
export function isPassing(error: Error): boolean {
  return isFull(error) || lockErrors.has(numberOf(error));
}

/** Whether these are words of the server: it was reached. */
export function isServers(error: Error): boolean {
  const code: unknown = Reflect.get(error, "code");
  return numberOf(error) !== undefined || /^(AUTH_|HANDSHAKE_)/.test(String(code));
}

export function remedyFor(error: Error): string | undefined {
  return remedies.get(numberOf(error) ?? 0);
}

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
