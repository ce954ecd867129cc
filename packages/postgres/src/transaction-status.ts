/**
 * The part of a client that reports the status. pg's own types lack it, and a native client does
 * not have it.
 */
interface Reporting {
  readonly connection?:
    | { on(event: "readyForQuery", listener: (message: { readonly status: string }) => void): unknown }
    | undefined;
}

const statuses = new WeakMap<object, string>();

/**
 * Keeps the status that the server reports after each statement of the client. A second call
 * changes nothing.
 */
export function watchTransactions(client: object & Reporting): void {
  if (statuses.has(client)) return;
  statuses.set(client, "I");
  client.connection?.on("readyForQuery", ({ status }) => statuses.set(client, status));
}

/**
 * Returns whether a transaction is open on the client's connection: `T`, or `E` for a failed one.
 * The storage begins no transaction, so the server may take back what it acknowledges there.
 */
export function isInTransaction(client: object): boolean {
  const status = statuses.get(client);
  return status === "T" || status === "E";
}

/** The error of a connection on which a transaction is open. Its code is the SQLSTATE for that. */
export class OpenTransaction extends Error {
  override readonly name = "OpenTransaction";
  readonly code = "25001";

  constructor() {
    super(
      "a transaction is open on the connection that the storage did not begin, and may take back what it does",
    );
  }
}
