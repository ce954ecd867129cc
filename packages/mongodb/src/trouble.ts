import {
  type DriverErrors,
  type DriverTrial,
  type ErrorTable,
  errorTable,
  isError,
  unsupportedServer,
} from "cacheme/driver";

const notPrimary = "Give the address of the primary, or of all members with replicaSet.";
const outOfDiskSpace = "14031";

const table: ErrorTable = errorTable({
  codeOf,
  needs: "MongoDB 4.2 or newer, or a server that is as complete, with $expr and $$NOW in filters",
  full: [outOfDiskSpace],
  advice: {
    13: "Grant the user find, insert, update and remove on the collection.",
    18: "Check the name, the password and authSource.",
    10107: notPrimary,
    13435: notPrimary,
    [outOfDiskSpace]: "Make room on the server's disk.",
    RecordTooLarge: "Store less under one key, or use another storage for it.",
  },
});

export const trial: DriverTrial = table.trial;

export const errors: DriverErrors = {
  ...table.errors,
  connectAdvice: "Check that the server runs and that its address, name, password and authSource are right.",
  /** Removes the statements from an error, because they have the values that were sent. */
  clean(error) {
    const [first] = writeErrorsOf(error) ?? [];
    if (first === undefined) return error;
    const { message, name } = error;
    return Object.assign(new Error(message), { name, code: first.code });
  },
};

/** Whether an error has the server's own words, so the server was reached. */
export function isServers(error: unknown): boolean {
  return isError(error) && (error.name === "MongoServerError" || writeErrorsOf(error) !== undefined);
}

/** Returns the server's number for an error. A hosted server reports its quota only in words. */
function codeOf(error: unknown): string {
  if (!isError(error)) return "";
  if (/\bover your space quota\b/.test(error.message)) return outOfDiskSpace;
  const [first] = writeErrorsOf(error) ?? [];
  const code: unknown = first?.code ?? Reflect.get(error, "code");
  if (typeof code === "number") return String(code);
  return isServers(error) ? error.name : "";
}

/** Explains a server whose version the package mongodb does not support. */
export function ofVersion(label: string, error: unknown): unknown {
  for (let one = error, depth = 0; isError(one) && depth < 8; one = one.cause, depth++) {
    if (one.name !== "MongoCompatibilityError") continue;
    const { needs } = table.trial;
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
