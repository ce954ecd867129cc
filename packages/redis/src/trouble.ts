import { commandName } from "./ioredis.js";
import type { Target } from "./options.js";

/** What the storage works with, for messages. */
export const needs = "Redis 5 or newer, or Valkey, with Lua scripts";

/** A sentinel or a server answered, and what it said is of no use. */
export class UselessAnswer extends Error {}

/** What to do about an error of the server, by what its words begin with or hold. */
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
  [/cluster support disabled/, 'The server is no Redis Cluster: write the address as "redis://host:port".'],
  [/DB index is out of range/, "Name a database that the server has."],
  [/max number of clients/, "Raise maxclients on the server."],
  [/^OOM/, "Raise maxmemory, or let the server evict keys (maxmemory-policy)."],
  [/^MISCONF/, "Make room on the server's disk."],
];

/** Words of a server that is full, busy, or where another one is taking its place: they say nothing of its kind. */
const passing = /^(OOM|MISCONF|LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|NOREPLICAS|MOVED|ASK|READONLY)/;

/**
 * Removes from an error of ioredis the arguments that were sent. They may be a password, which a log would show, or a value of
 * many megabytes, which the error would keep in memory.
 */
export function withoutArguments(error: Error): Error {
  if ("command" in error) error.command = { name: commandName(error) };
  return error;
}

export function remedyFor({ message }: Error): string | undefined {
  return remedies.find(([words]) => words.test(message))?.[1];
}

/** Whether the server itself has said so, be it in a protocol that is not Redis'. */
export function isAnswer(error: Error): boolean {
  return (
    error instanceof UselessAnswer ||
    ["ReplyError", "ParserError"].includes(error.name) ||
    error.message.startsWith("Ready check failed: ")
  );
}

export function advice(error: Error): string {
  if (commandName(error) === undefined)
    return "The connection was lost meanwhile; the storage makes a new one by itself.";
  return remedyFor(error) ?? "The server refused the command; its words say why.";
}

/**
 * Whether an error of the trial does not count. Where several servers are one storage, one that is lost at the moment costs
 * its keys only. A user may be allowed keys with a prefix that the storage does not know.
 */
export function isPassing({ kind }: Target, error: Error): boolean {
  const { message } = error;
  const isOne = kind === "server" || kind === "client";
  if (isOne && /^(MOVED|READONLY)/.test(message)) return false;
  return passing.test(message) || /NOPERM.*\bkeys?\b/.test(message) || (!isOne && !isAnswer(error));
}
