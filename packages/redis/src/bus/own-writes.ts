import { createHash } from "node:crypto";
import { elapsed } from "cacheme/driver";
import type { KeyCommand } from "../commands.js";
import { headerLength } from "../record.js";
import * as scripts from "../scripts.js";

/** The most keys with remembered writes. A forgotten write costs a drop of the entry, and no more. */
const mostKeys = 10_000;

/** The most remembered writes of one key. */
const mostWrites = 8;

/** Milliseconds from the sending of a write in which its report may arrive. */
const longestDelay = 5_000;

const tokenAt = headerLength - 16;

/** The trace of a write in the string under the key. */
type Trace =
  | { readonly kind: "bytes"; readonly digest: string }
  | { readonly kind: "token"; readonly token: Buffer }
  | { readonly kind: "generation"; readonly beginning: string }
  | { readonly kind: "nothing" };

interface Writes {
  readonly traces: Trace[];
  sentAt: number;
}

/**
 * The latest writes of this process. The server reports them like those of other programs: with
 * NOLOOP it leaves out the commands of a connection, but not what scripts of the connection write.
 */
export class OwnWrites {
  readonly #byKey = new Map<string, Writes>();
  readonly #now: () => number;

  constructor(now: () => number = elapsed) {
    this.#now = now;
  }

  /** Notes commands that are about to be sent. */
  sends(commands: readonly KeyCommand[]): void {
    for (const command of commands) {
      const trace = traceOf(command);
      if (trace !== undefined) this.#add(command.key, trace);
    }
  }

  /** Notes keys that are about to be removed. */
  removes(keys: readonly string[]): void {
    for (const key of keys) this.#add(key, { kind: "nothing" });
  }

  /** Returns whether a report of the key may be about a write of this process. */
  has(key: string): boolean {
    const writes = this.#byKey.get(key);
    if (writes === undefined) return false;
    if (writes.sentAt + longestDelay >= this.#now()) return true;
    this.#byKey.delete(key);
    return false;
  }

  /** Returns whether the string under the key is the result of a write of this process. */
  explain(key: string, stored: Buffer | null): boolean {
    return this.#byKey.get(key)?.traces.some((trace) => explains(trace, stored)) ?? false;
  }

  #add(key: string, trace: Trace): void {
    const sentAt = this.#now();
    const known = this.#byKey.get(key);
    this.#byKey.delete(key); // The map's order is that of the last write.
    const isRecent = known !== undefined && known.sentAt + longestDelay >= sentAt;
    const traces = isRecent ? [...known.traces.slice(1 - mostWrites), trace] : [trace];
    this.#byKey.set(key, { traces, sentAt });
    const [oldest] = this.#byKey;
    if (oldest === undefined) return;
    const isOver = oldest[1].sentAt + longestDelay < sentAt;
    if (isOver || this.#byKey.size > mostKeys) this.#byKey.delete(oldest[0]);
  }
}

function traceOf({ run, args: [first, second] }: KeyCommand): Trace | undefined {
  switch (run) {
    case "unlink":
      return { kind: "nothing" };
    case "set":
    case scripts.storeForEver:
      return Buffer.isBuffer(first) ? { kind: "bytes", digest: digestOf(first) } : undefined;
    case scripts.fill:
      return Buffer.isBuffer(second) ? { kind: "bytes", digest: digestOf(second) } : undefined;
    case scripts.acquire:
    case scripts.extend:
      return Buffer.isBuffer(first) ? { kind: "token", token: first } : undefined;
    case scripts.ensureGeneration:
    case scripts.bumpGeneration:
      return { kind: "generation", beginning: `${first}@` };
    default:
      return undefined; // A read, or a release, after which any older value may be there.
  }
}

function explains(trace: Trace, stored: Buffer | null): boolean {
  if (stored === null) return trace.kind === "nothing";
  switch (trace.kind) {
    case "nothing":
      return false;
    case "token":
      return stored.subarray(tokenAt, headerLength).equals(trace.token);
    case "bytes":
      return digestOf(stored) === trace.digest;
    case "generation":
      return stored.subarray(headerLength).toString("latin1").startsWith(trace.beginning);
  }
}

/** Returns a digest of a record's bytes, because the bytes of many records would take much memory. */
function digestOf(record: Buffer): string {
  return createHash("sha256").update(record.subarray(headerLength)).digest("base64");
}
