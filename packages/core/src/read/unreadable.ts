import type { Clock } from "../clock.js";
import { type EntryFault, faultOf } from "../entry/entry-codec.js";
import type { Events } from "../events.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import { shownKey } from "../shown-key.js";

/** The shortest time between two reports of one fault of one class, in milliseconds. */
const interval = 60_000;

/** The number of entries of one class and storage that are examined within the interval. */
const mostExamined = 10;

/** The reports of one class and one storage. */
interface Reports {
  /** The time of the last report of each fault. */
  readonly last: Map<string, number>;
  /** The number of entries that were examined since the interval began. */
  examined: number;
  since: number;
}

/**
 * Reports stored bytes that cannot be read. They are misses, so nobody would notice that a cache
 * has no effect.
 */
export class Unreadable {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #reports = new WeakMap<ClassRuntime["kind"], Map<string, Reports>>();
  /** The classes and faults that have had their process warning. */
  readonly #warned = new Set<string>();

  constructor(clock: Clock, events: Events) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Examines bytes that were a miss. To examine costs more than a read, so that few are. */
  note(runtime: ClassRuntime, tier: RemoteTier, storageKey: string, bytes: Uint8Array): void {
    const now = this.#clock.elapsed();
    const reports = this.#reportsOf(runtime, tier);
    if (now - reports.since >= interval) {
      reports.since = now;
      reports.examined = 0;
    }
    if (reports.examined >= mostExamined) return;
    reports.examined += 1;
    const { serializer, fingerprint } = runtime.kind.formats.of(bytes);
    const found = faultOf(serializer, fingerprint, storageKey, bytes);
    if (found === undefined) return; // A tag of it was invalidated.
    if (now - (reports.last.get(found.fault) ?? Number.NEGATIVE_INFINITY) < interval) return;
    reports.last.set(found.fault, now);
    this.#report(runtime, tier, storageKey, found);
  }

  #report({ name }: ClassRuntime, tier: RemoteTier, storageKey: string, { fault, error }: EntryFault): void {
    if (this.#events.listeners.unreadable !== null) {
      this.#events.emit("unreadable", { node: name, storage: tier.name, storageKey, fault, error });
      return;
    }
    const subject = `${name} ${tier.name} ${fault}`;
    if (this.#warned.has(subject)) return;
    this.#warned.add(subject);
    const why = error === undefined ? "" : `: ${error.message}`;
    process.emitWarning(
      `The entry ${shownKey(storageKey)} of node "${name}" in storage "${tier.name}" cannot be read (${fault})${why}. It counts as a ` +
        'miss. Listen to the event "unreadable" to see the others.',
      { type: "CachemeWarning" },
    );
  }

  #reportsOf({ kind }: ClassRuntime, { name }: RemoteTier): Reports {
    let byStorage = this.#reports.get(kind);
    if (byStorage === undefined) {
      byStorage = new Map();
      this.#reports.set(kind, byStorage);
    }
    let reports = byStorage.get(name);
    if (reports === undefined) {
      reports = { last: new Map(), examined: 0, since: this.#clock.elapsed() };
      byStorage.set(name, reports);
    }
    return reports;
  }
}
