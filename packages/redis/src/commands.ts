import type {
  Acquisition,
  HeldLease,
  LeaseAnswer,
  LeasedRecord,
  NewGeneration,
  StoredRecord,
} from "cacheme/driver";
import { packed } from "./record.js";
import { acquire, extend, fill, release, type Script, storeForEver } from "./scripts.js";

/** One command for one key: in a Cluster, each goes to its key's node. */
export interface KeyCommand {
  /** A command whose first argument is the key, or a script whose only key it is. */
  readonly run: "mget" | "set" | "unlink" | Script;
  readonly key: string;
  readonly args: readonly (string | number | Buffer)[];
}

const noBytes = Buffer.alloc(0);

/** Makes a SET for each record, or a script if a record without a ttl becomes stale. */
export function writeCommands(records: readonly StoredRecord[]): KeyCommand[] {
  const packs = packed(records);
  return records.map(({ key, ttl, freshFor }, index) => {
    const pack = packs[index] ?? noBytes;
    if (ttl !== undefined) return { run: "set", key, args: [pack, "PX", ttl] };
    if (freshFor !== undefined) return { run: storeForEver, key, args: [pack, freshFor] };
    return { run: "set", key, args: [pack] };
  });
}

export function acquireCommands(requests: readonly Acquisition[]): KeyCommand[] {
  return requests.map(({ key, duration, steal, token, seen }) => {
    const args = [tokenBytes(token), duration, steal ? "1" : "0"];
    return { run: acquire, key, args: seen === undefined ? args : [...args, viewOf(seen)] };
  });
}

/** Reads the answers to {@link acquireCommands}. */
export function leaseAnswers(
  requests: readonly Acquisition[],
  answers: readonly unknown[],
): readonly LeaseAnswer[] {
  return requests.map(({ token }, index) => {
    const answer = answers[index];
    if (Buffer.isBuffer(answer)) return { outcome: "fresh", bytes: answer };
    if (answer === 0) return { outcome: "held" };
    return { outcome: "granted", token, at: Number(answer) };
  });
}

export function fillCommands(records: readonly LeasedRecord[]): KeyCommand[] {
  const packs = packed(records);
  return records.map(({ key, token, ttl, freshFor }, index) => {
    const staleAfter = ttl === undefined ? freshFor : undefined;
    return {
      run: fill,
      key,
      args: [tokenBytes(token), packs[index] ?? noBytes, ttl ?? "", staleAfter ?? ""],
    };
  });
}

export function extendCommands(leases: readonly LeaseExtension[]): KeyCommand[] {
  return leases.map(({ key, token, duration }) => ({
    run: extend,
    key,
    args: [tokenBytes(token), duration],
  }));
}

export function releaseCommands(leases: readonly HeldLease[]): KeyCommand[] {
  return leases.map(({ key, token }) => ({ run: release, key, args: [tokenBytes(token)] }));
}

export function generationCommands(
  run: Script,
  tags: readonly NewGeneration[],
  ttl: number | undefined,
): KeyCommand[] {
  return tags.map(({ key, id }) => ({ run, key, args: [id, ttl ?? ""] }));
}

/** The 16 bytes that a record's header holds. */
function tokenBytes(token: string): Buffer {
  return Buffer.from(token, "hex");
}
