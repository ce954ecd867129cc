import type { StorageError, StoredRecord } from "cacheme/driver";
import type { Commands } from "./commands.js";
import type { ServerFacts } from "./server.js";
import type { Parameter, Session } from "./session.js";
import type { Ordered } from "./stored-id.js";

/** What leases and generations need of the storage that they belong to. */
export interface Rows {
  readonly label: string;
  readonly commands: Commands;
  /** Known once a call is under way. */
  server(): ServerFacts;
  run<T>(action: string, act: (session: Session) => Promise<T>): Promise<T>;
  /** Cut into statements, in their order, each within the server's packets. */
  split<T>(rows: readonly Ordered<T>[], sizeOf: (row: Ordered<T>) => number): Ordered<T>[][];
  /** Without those that are too large for the server. */
  fitting<T extends StoredRecord>(rows: readonly Ordered<T>[]): Fitting<T>;
}

export interface Fitting<T> {
  readonly rows: readonly Ordered<T>[];
  /** What to reject with when these are stored, if there are others. */
  readonly error: StorageError | undefined;
}

/** An INSERT whose rows are to be read as it leaves them. */
export interface Insert {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly columns: string;
  /** The parameters in {@link columns}. */
  readonly ofColumns: readonly Parameter[];
  readonly ids: readonly Buffer[];
}

/** With the INSERT where the server can, which is one round trip, else by a second statement on the same connection. */
export async function rowsLeft(
  { commands, server }: Rows,
  session: Session,
  { sql, parameters, columns, ofColumns, ids }: Insert,
): Promise<readonly (readonly unknown[])[]> {
  if (server().returns) return session.rows(`${sql} RETURNING ${columns}`, [...parameters, ...ofColumns]);
  await session.change(sql, parameters);
  return session.rows(commands.reread(columns, ids.length), [...ofColumns, ...ids]);
}
