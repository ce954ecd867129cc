import { readFileSync } from "node:fs";
import type { SnapshotFault } from "../../snapshot-report.js";
import { setImmediate } from "../../timers.js";
import { FrameReader, frame, PayloadReader, PayloadWriter } from "./frames.js";
import type { SavedEntry } from "./restored-entry.js";

/** The first frame's payload begins with it, so that a foreign file is neither read nor replaced. */
const magic = "cacheme snapshot";
const version = 1;

let knownBoot: string | undefined;

/** Identifies the time since the machine was started; empty if the system does not tell. */
function boot(): string {
  knownBoot ??= bootIn("/proc/sys/kernel/random/boot_id");
  return knownBoot;
}

/** The classes and entries of a file. */
export interface SavedFile {
  /** The ids of the classes, by index. */
  readonly owners: readonly string[];
  /** The entries by class, the most valuable ones first over all classes. */
  readonly entries: readonly OwnedEntry[];
  /** Returns whether the value of an entry is still what the last process had. */
  isCurrent(entry: OwnedEntry): boolean;
}

/** An entry with the index of its class. */
type OwnedEntry = SavedEntry & { readonly owner: number };

export type ReadFile = SavedFile | { readonly fault: SnapshotFault };

/** Returns the payload of the header. */
export function header(): Buffer {
  return new PayloadWriter().text(magic).number(version).take();
}

/** @param isSealed whether the process has ended, so that no change follows */
export function end(isSealed: boolean): Buffer {
  return new PayloadWriter()
    .number(isSealed ? 1 : 0)
    .text(boot())
    .take();
}

/** Appends an entry to the payload of a frame. */
export function addEntry(to: PayloadWriter, owner: number, entry: SavedEntry): void {
  const { key, frequency, segment, writtenAt, freshUntil, weight, tags, bytes } = entry;
  to.number(owner).text(key).number(frequency).number(segment).number(writtenAt).number(freshUntil);
  to.number(weight).text(tags.join("\n")).bytes(bytes);
}

/**
 * Reads a file, a frame in each turn of the event loop. A file that was damaged anywhere before its
 * end is corrupt as a whole. If its changes are damaged, or may be lost because the machine has
 * stopped, no value is current.
 */
export async function readSaved(bytes: Buffer): Promise<ReadFile> {
  const frames = new FrameReader(bytes);
  const first = frames.next();
  if (first === undefined) return { fault: isOurs(bytes) ? "corrupt" : "format" };
  if (first.kind !== frame.header || !isHeader(first.payload)) return { fault: "format" };
  const reading = new Reading();
  try {
    for (let next = frames.next(); next !== undefined; next = frames.next()) {
      reading.take(next.kind, next.payload);
      if (next.kind === frame.entries) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  } catch {
    return { fault: "corrupt" };
  }
  return reading.result(frames.place === bytes.length);
}

/** Returns whether the bytes may be replaced, because a snapshot begins like this or they are none. */
export function isOurs(bytes: Buffer): boolean {
  return bytes.length === 0 || bytes.subarray(0, 64).includes(magic);
}

function isHeader(payload: Buffer): boolean {
  try {
    const reader = new PayloadReader(payload);
    return reader.text() === magic && reader.number() === version;
  } catch {
    return false;
  }
}

/** Puts the frames of one file together. */
class Reading {
  readonly #owners: string[] = [];
  readonly #entries: OwnedEntry[] = [];
  readonly #changed = new Set<string>();
  readonly #changedOwners = new Set<number>();
  readonly #changedTags = new Set<string>();
  #ended: { readonly isSealed: boolean; readonly boot: string } | undefined;
  #hasFollowers = false;

  /** @throws RangeError if the payload is damaged */
  take(kind: number, payload: Buffer): void {
    const reader = new PayloadReader(payload);
    if (this.#ended !== undefined) this.#hasFollowers = true;
    if (kind === frame.owner) this.#owners.push(payload.toString());
    else if (kind === frame.entries) while (!reader.isAtEnd) this.#entries.push(entryIn(reader));
    else if (kind === frame.end) this.#ended = { isSealed: reader.number() === 1, boot: reader.text() };
    else if (kind === frame.changedEntry) this.#changed.add(nameOf(reader.number(), reader.text()));
    else if (kind === frame.changedOwner) this.#changedOwners.add(reader.number());
    else if (kind === frame.changedTag) this.#changedTags.add(payload.toString());
    else if (kind !== frame.user) throw new RangeError(`Frame ${kind} is unknown.`);
  }

  result(isWhole: boolean): ReadFile {
    const ended = this.#ended;
    if (ended === undefined) return { fault: "corrupt" };
    const isTrusted = isWhole && ((ended.isSealed && !this.#hasFollowers) || ended.boot === boot());
    const isCurrent = (entry: OwnedEntry): boolean => isTrusted && !this.#isChanged(entry);
    return { owners: this.#owners, entries: this.#entries, isCurrent };
  }

  #isChanged({ owner, key, tags }: OwnedEntry): boolean {
    return (
      this.#changedOwners.has(owner) ||
      (this.#changed.size > 0 && this.#changed.has(nameOf(owner, key))) ||
      tags.some((tag) => this.#changedTags.has(tag))
    );
  }
}

function nameOf(owner: number, key: string): string {
  return `${owner}\n${key}`;
}

function entryIn(reader: PayloadReader): OwnedEntry {
  const owner = reader.number();
  const key = reader.text();
  const frequency = reader.number();
  const segment = reader.number();
  const writtenAt = reader.number();
  const freshUntil = reader.number();
  const weight = reader.number();
  const tags = reader.text();
  const bytes = reader.bytes();
  return {
    owner,
    key,
    frequency,
    segment,
    writtenAt,
    freshUntil,
    weight,
    tags: tags === "" ? [] : tags.split("\n"),
    bytes,
  };
}

function bootIn(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
