import { isError, unsupportedServer } from "cacheme/driver";
import { writeErrorsOf } from "./collection-call.js";

/** What the storage works with, for messages. */
export const needs = "MongoDB 4.2 or newer, or a server that is as complete, with $expr and $$NOW in filters";

const outOfDiskSpace = 14_031;

/** What to do about an error of the server, by its number. */
const remedies: ReadonlyMap<unknown, string> = new Map([
  [13, "Grant the user find, insert, update and remove on the collection."],
  [18, "Check the name, the password and authSource."],
  [10_107, "Give the address of the primary, or of all members with replicaSet."],
  [13_435, "Give the address of the primary, or of all members with replicaSet."],
  [outOfDiskSpace, "Make room on the server's disk."],
]);

export const connectAdvice =
  "Check that the server runs and that its address, name, password and authSource are right.";

/** Whether these are words of the server: it is there. */
export function isServers(error: unknown): boolean {
  return isError(error) && (error.name === "MongoServerError" || writeErrorsOf(error) !== undefined);
}

export function remedyFor(error: Error): string | undefined {
  return remedies.get(codeOf(error));
}

/** Whether the server has no room for what was to be stored. A hosted server says so of its quota, in words alone. */
export function isFull(error: unknown): boolean {
  if (!isError(error)) return false;
  return codeOf(error) === outOfDiskSpace || /\bover your space quota\b/.test(error.message);
}

/** Statements that were refused are in the driver's error with everything that was sent. */
export function clean(error: Error): Error {
  if (writeErrorsOf(error) === undefined) return error;
  const { message, name } = error;
  return Object.assign(new Error(message), { name, code: codeOf(error) });
}

/** The driver's error of a server that it does not speak to, in the storage's own terms; every other one as it is. */
export function ofVersion(label: string, error: unknown): unknown {
  for (let one = error, depth = 0; isError(one) && depth < 8; one = one.cause, depth++) {
    if (one.name !== "MongoCompatibilityError") continue;
    return unsupportedServer(label, "a server of another version", needs, { why: one.message, cause: error });
  }
  return error;
}

/** Servers that are like MongoDB say which MongoDB they are like; FerretDB says its own version besides. */
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
