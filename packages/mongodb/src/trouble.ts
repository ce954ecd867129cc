import { isError, unsupportedServer } from "cacheme/driver";

/** The supported servers, for messages. */
export const needs = "MongoDB 4.2 or newer, or a server that is as complete, with $expr and $$NOW in filters";

const outOfDiskSpace = 14_031;

/** The advice for errors of the server, by their numbers. */
const remedies: ReadonlyMap<unknown, string> = new Map([
  [13, "Grant the user find, insert, update and remove on the collection."],
  [18, "Check the name, the password and authSource."],
  [10_107, "Give the address of the primary, or of all members with replicaSet."],
  [13_435, "Give the address of the primary, or of all members with replicaSet."],
  [outOfDiskSpace, "Make room on the server's disk."],
]);

export const connectAdvice =
  "Check that the server runs and that its address, name, password and authSource are right.";

/** Whether an error has the server's own words, so the server was reached. */
export function isServers(error: unknown): boolean {
  return isError(error) && (error.name === "MongoServerError" || writeErrorsOf(error) !== undefined);
}

/** Returns the advice for an error of a call. */
export function adviceFor(error: Error): string {
  if (error instanceof TooLong) return "Store less under one key, or use another storage for it.";
  return remedyFor(error) ?? "The storage's own words say why.";
}

/** Returns the advice for an error of the server with a known number. */
export function remedyFor(error: Error): string | undefined {
  return remedies.get(codeOf(error));
}

/** Whether the server has no room for a record. A hosted server reports its quota only in words. */
export function isFull(error: unknown): boolean {
  if (!isError(error)) return false;
  return codeOf(error) === outOfDiskSpace || /\bover your space quota\b/.test(error.message);
}

/** Removes the statements from an error, because they have the values that were sent. */
export function clean(error: Error): Error {
  if (writeErrorsOf(error) === undefined) return error;
  const { message, name } = error;
  return Object.assign(new Error(message), { name, code: codeOf(error) });
}

/** Explains a server whose version the package mongodb does not support. */
export function ofVersion(label: string, error: unknown): unknown {
  for (let one = error, depth = 0; isError(one) && depth < 8; one = one.cause, depth++) {
    if (one.name !== "MongoCompatibilityError") continue;
    return unsupportedServer(label, "a server of another version", needs, { why: one.message, cause: error });
  }
  return error;
}

/** Names the product. FerretDB has the version of a MongoDB, too. */
export function serverName(build: Readonly<Record<string, unknown>>): string {
  const { ferretdb, ferretdbVersion, version } = build;
  const nested =
    typeof ferretdb === "object" && ferretdb !== null ? Reflect.get(ferretdb, "version") : undefined;
  const own: unknown = ferretdbVersion ?? nested;
  return own === undefined ? `MongoDB ${version}` : `FerretDB ${own} (like MongoDB ${version})`;
}

function codeOf(error: Error): unknown {
  const [first] = writeErrorsOf(error) ?? [];
  return first?.code ?? ("code" in error ? error.code : undefined);
}

/** The value is too long for a document. */
export class TooLong extends Error {
  constructor(bytes: number, most: number) {
    super(`its value has ${bytes} bytes, and a document of MongoDB takes ${most}`);
  }
}

/** The server's error for one statement of a `bulkWrite`. */
export interface WriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
}

/** Returns the server's errors for single statements, `undefined` for every other error. */
export function writeErrorsOf(error: unknown): readonly WriteError[] | undefined {
  if (!isError(error) || error.name !== "MongoBulkWriteError") return undefined;
  // The package mongodb declares one error or several.
  const { writeErrors } = error as Error & { readonly writeErrors?: WriteError | readonly WriteError[] };
  const errors = writeErrors === undefined ? [] : [writeErrors].flat();
  return errors.length === 0 ? undefined : errors;
}
