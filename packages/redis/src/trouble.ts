import { commandName } from "./ioredis.js";
import type { Target } from "./options.js";

/** The servers that the storage works with, for messages. */
export const needs = "Redis 5 or newer, or Valkey, with Lua scripts";

/** A sentinel or a server gave an answer that names no master. */
export class NoMasterError extends Error {}

/** The remedy for each error of the server. */
const remedies: readonly (readonly [words: RegExp, remedy: string])[] = [
  [
    /NOAUTH|WRONGPASS|invalid password|AUTH.* called without any password/,
    "Check the name and the password.",
  ],
  [/NOPERM/, "Allow the user these commands and keys: ACL SETUSER."],
  [/READONLY/, "The server is a replica that takes no writes: give the address of the master."],
  [
    /^(MOVED|CROSSSLOT)/,
    'The server is a node of a Redis Cluster: write the address as "redis+cluster://host:port".',
  ],
  [
    /cluster support disabled/,
    'The server is not a Redis Cluster: write the address as "redis://host:port".',
  ],
  [/DB index is out of range/, "Give the number of a database that the server has."],
  [/max number of clients/, "Raise maxclients on the server."],
  [/^OOM/, "Raise maxmemory, or let the server evict keys (maxmemory-policy)."],
  [/^MISCONF/, "Make room on the server's disk."],
];

/** Errors of a server that is full, busy, or being replaced. They say nothing about its kind. */
const passing = /^(OOM|MISCONF|LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|NOREPLICAS|MOVED|ASK|READONLY)/;

/** Removes the sent arguments: a password, or a value of many megabytes that the error would keep. */
export function withoutArguments(error: Error): Error {
  if ("command" in error) error.command = { name: commandName(error) };
  return error;
}

export function remedyFor({ message }: Error): string | undefined {
  return remedies.find(([words]) => words.test(message))?.[1];
}

/** Whether the error is an answer of the server, perhaps in a protocol other than that of Redis. */
export function isAnswer(error: Error): boolean {
  return (
    error instanceof NoMasterError ||
    ["ReplyError", "ParserError"].includes(error.name) ||
    error.message.startsWith("Ready check failed: ")
  );
}

export function advice(error: Error): string {
  if (commandName(error) === undefined)
    return "The connection was lost meanwhile; the storage reconnects by itself.";
  return remedyFor(error) ?? "The server refused the command; its error says why.";
}

/**
 * Whether an error of the trial does not count. In a Cluster or behind sentinels, a server that is
 * down at the moment costs only its own keys. A user may be limited to keys with a prefix that the
 * storage does not know.
 */
export function isPassing({ kind }: Target, error: Error): boolean {
  const { message } = error;
  const isOne = kind === "server" || kind === "client";
  if (isOne && /^(MOVED|READONLY)/.test(message)) return false;
  return passing.test(message) || /NOPERM.*\bkeys?\b/.test(message) || (!isOne && !isAnswer(error));
}
