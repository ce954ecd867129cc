import { isError, StorageError } from "cacheme/driver";
import type { Answer } from "./answers.js";

/** The server's own words against a command. */
export class Refusal extends Error {}

/** The server has no items as long as a record. */
export class TooLarge extends Error {
  /** @param takes the bytes that a value with the record's key may have */
  constructor(has: number, takes: number, longestItem: number) {
    const [value, most, all] = [has, takes, longestItem].map((bytes) => bytes.toLocaleString("en"));
    super(
      `its value has ${value} bytes, and the server takes ${most} with this key: its items have ${all} at most`,
    );
  }
}

/** Whether the server could not carry out a command, or did not understand it. */
export function isErrorAnswer({ code }: Answer): boolean {
  return /^(SERVER_|CLIENT_)?ERROR\b/.test(code);
}

/** Whether the item has changed, or is gone. */
export function isChanged({ code }: Answer): boolean {
  return code === "EX" || code === "NF" || code === "NS";
}

/** Makes an error of an answer that says so, or that the command never has. */
export function refusal({ code }: Answer): Refusal {
  return new Refusal(
    /^(SERVER|CLIENT)_ERROR (.+)/.exec(code)?.[2] ?? `the server answered ${JSON.stringify(code)}`,
  );
}

/** Whether the server had no room for an item. */
export function isFull(error: unknown): boolean {
  return error instanceof Refusal && /^out of memory/.test(error.message);
}

/** Whether the error, or its cause, has the server's own words. */
function isServers(error: Error): boolean {
  return error instanceof Refusal || error.cause instanceof Refusal;
}

/** Returns the advice for an error of a call. */
export function adviceFor(error: Error): string {
  if (error instanceof StorageError) return "The keys of the other servers are done.";
  if (error instanceof TooLarge) return "Start memcached with a larger -I, or store less under one key.";
  return isServers(error)
    ? "The server's own words say why."
    : "The connection was lost meanwhile; the storage makes a new one by itself.";
}

/** Returns the advice if the server refuses to work. */
export function remedyFor({ message }: Error): string | undefined {
  return /authenticat/.test(message) ? "Check the name and the password." : undefined;
}

/** The codes of a server that cannot be asked for anything. */
const downCodes: ReadonlySet<string> = new Set([
  ...["CACHEME_CONNECT_FAILED", "CACHEME_CONNECT_REFUSED", "CACHEME_UNSUPPORTED_SERVER"],
]);

/** Whether a call failed because its server is down. */
export function isDown(error: unknown): boolean {
  return error instanceof StorageError && downCodes.has(error.code);
}

/** Names the server, because the label of a pool names all of them. */
export function ofServer(name: string, error: unknown): Error {
  return new Error(`${name}: ${isError(error) ? error.message : String(error)}`, { cause: error });
}
