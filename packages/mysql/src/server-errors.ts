import { type DriverErrors, type DriverTrial, isError } from "cacheme/driver";

/** The advice for each error of the server, by its number. */
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
  [1146, "The table is gone: create it with the statement of mysqlTable()."],
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

/**
 * A statement lost a deadlock, or waited too long for a lock: the server undid it, so it may be
 * sent again.
 */
export const lockErrors: ReadonlySet<number | undefined> = new Set([1205, 1213]);

export const serverErrors: DriverErrors = {
  /** The statement may be long, and says nothing to a reader of the message. It has no values. */
  clean(error) {
    if ("sql" in error) Reflect.deleteProperty(error, "sql");
    return error;
  },
  advice(error) {
    if (error instanceof RecordTooLarge) return "Store less, or raise max_allowed_packet on the server.";
    const number = numberOf(error);
    if (number === undefined) {
      return "The connection was lost meanwhile; the storage makes a new one by itself.";
    }
    return remedies.get(number) ?? "The server refused the statement; its words say why.";
  },
  remedyFor: (error) => remedies.get(numberOf(error) ?? 0),
  isAnswer: isServers,
  isFull,
};

export const trial: DriverTrial = {
  needs: "MySQL 8.0.13 or newer, or MariaDB 10.5 or newer",
  passes: (error) => isFull(error) || lockErrors.has(numberOf(error)),
};

/** A record that does not fit into the server's packets. */
export class RecordTooLarge extends Error {
  override readonly name = "RecordTooLarge";

  constructor(bytes: number, packet: number) {
    super(`${bytes} bytes are too large for the server, whose max_allowed_packet is ${packet} bytes`);
  }
}

/** Returns the server's number for an error, such as 1213. Those of the system are negative. */
export function numberOf(error: unknown): number | undefined {
  const number: unknown = isError(error) ? Reflect.get(error, "errno") : undefined;
  return typeof number === "number" && number > 0 ? number : undefined;
}

/** Returns whether an error has the server's own words, so the server was reached. */
export function isServers(error: Error): boolean {
  const code: unknown = Reflect.get(error, "code");
  return numberOf(error) !== undefined || /^(AUTH_|HANDSHAKE_)/.test(String(code));
}

function isFull(error: unknown): boolean {
  return fullErrors.has(numberOf(error));
}
