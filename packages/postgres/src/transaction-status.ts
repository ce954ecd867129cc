/** The part of a client that reports the status. pg's own types leave it out, and a native client has none. */
interface Reporting {
  readonly connection?:
    | { on(event: "readyForQuery", listener: (message: { readonly status: string }) => void): unknown }
    | undefined;
}

const statuses = new WeakMap<object, string>();

/** Keeps what the server reports of the client's transaction after each statement. A second call changes nothing. */
export function watchTransactions(client: object & Reporting): void {
  if (statuses.has(client)) return;
  statuses.set(client, "I");
  client.connection?.on("readyForQuery", ({ status }) => statuses.set(client, status));
}

/**
 * Whether a transaction is open on the client's connection: `T`, or `E` for one that has failed. The storage begins none, so
 * nothing that the server acknowledges there is sure to stay.
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
