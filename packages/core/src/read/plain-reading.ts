import { Failure } from "../entry/failure.js";
import { isFresh } from "../entry/lifetime.js";
import { checkedKey } from "../node/key.js";
import type { Node } from "../node/node.js";
import { CallContext } from "../runtime/call-context.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import { Flight } from "../runtime/flight.js";
import type { FlightSteps } from "../runtime/flight-steps.js";
import { type ListAnswer, PromiseAnswer } from "../runtime/list-answer.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import { lastBirth } from "../runtime/operation.js";
import { sharedState } from "../shared-state.js";
import { useRemotely } from "./idle.js";
import { fillLeft } from "./local-tiers.js";
import { type PlainReadSteps, PlainReads } from "./plain-reads.js";
import type { ReadParts } from "./read-parts.js";
import type { FoundRecord } from "./remote-tiers.js";

/** The steps of a flight whose first answer was examined elsewhere. */
export interface ExaminedSteps extends FlightSteps {
  examined(flight: Flight, tier: RemoteTier, bytes: Uint8Array, found: FoundRecord | undefined): void;
}

const plainRead = {};

/** Reads nodes without a flight for each, as long as they are plain hits. */
export class PlainReading implements PlainReadSteps {
  readonly #parts: ReadParts;
  readonly #flightSteps: ExaminedSteps;
  readonly #random: () => number;
  /** The reads that this tick's nodes are added to. */
  #gathered = new Map<ClassRuntime, PlainReads>();

  constructor(parts: ReadParts, flightSteps: ExaminedSteps) {
    this.#parts = parts;
    this.#flightSteps = flightSteps;
    this.#random = parts.store.environment.random;
  }

  /**
   * Reads the node if it needs no flight. It needs one if it has tags, if its key is in use, or if each
   * reader gets a copy.
   *
   * @param key as the node's `key()` returned it, unchecked; no flight of it may be open
   * @throws KeyError `CACHEME_INVALID_KEY`
   */
  read(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    call: CallContext | undefined,
  ): Promise<unknown> | undefined {
    const reads = this.#readsOf(runtime, key);
    if (reads === undefined) return undefined;
    const answer = new PromiseAnswer();
    reads.add(node, key, call ?? new CallContext(), answer, 0);
    return answer.promise;
  }

  /** Does the same for a place of a list. Returns whether the node is read. */
  readForList(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    call: CallContext | undefined,
    list: ListAnswer,
    place: number,
  ): boolean {
    const reads = this.#readsOf(runtime, key);
    reads?.add(node, key, call ?? new CallContext(), list, place);
    return reads !== undefined;
  }

  #readsOf(runtime: ClassRuntime, key: string): PlainReads | undefined {
    const [tier] = runtime.remoteTiers;
    if (tier === undefined || sharedState.recordings > 0) return undefined;
    // The journal must be read before a tier.
    if (runtime.unsaved !== undefined) return undefined;
    const { kind } = runtime;
    if (runtime.nodeTags !== undefined || runtime.nearest?.storage.copy !== undefined) return undefined;
    if (!kind.activities.isPlain(key, tier)) return undefined;
    checkedKey(key, runtime.name);
    // A flight reads the tags that the value told with its entry.
    if (kind.tellsTags && this.#parts.remoteTiers.expected.has(kind.storageKey(key))) return undefined;
    const gathered = this.#gathered.get(runtime);
    if (gathered?.since === lastBirth()) return gathered;
    if (this.#gathered.size === 0) this.#parts.tick.add(this.#forget);
    const reads = new PlainReads(runtime, tier, this);
    this.#gathered.set(runtime, reads);
    return reads;
  }

  /**
   * Takes a new Map, because a cleared one stays in the old generation once it has got there. Its
   * tables would keep the values of all later reads until that generation is collected.
   */
  readonly #forget = (): void => {
    this.#gathered = new Map();
  };

  entryIn({ runtime, tier }: PlainReads, storageKey: string, bytes: Uint8Array): FoundRecord | undefined {
    const { answeredAt } = tier.storage;
    return this.#parts.remoteTiers.entryIn(runtime, tier, storageKey, bytes, undefined, answeredAt);
  }

  isPlainHit({ runtime, tier }: PlainReads, entry: FoundRecord): boolean {
    const { claims } = entry;
    if (runtime.meta.errors !== undefined && Failure.is(entry.value)) return false;
    return (
      claims === undefined &&
      runtime.ahead === undefined &&
      (runtime.staleness === undefined || isFresh(entry, tier.storage.answeredAt))
    );
  }

  hit({ runtime, tier }: PlainReads, key: string, entry: FoundRecord): void {
    const { kind } = runtime;
    const fills = tier.index > 0 && !kind.isReplaced && !kind.bypassesLocalTiers;
    if (fills) fillLeft(runtime, key, entry, tier.index, this.#parts.clock.now(), this.#random);
    if (runtime.idle !== undefined)
      useRemotely(runtime, key, tier.index, entry.freshUntil, tier.storage.answeredAt);
    if (this.#parts.events.listeners.hit !== null) {
      this.#parts.events.emit("hit", { node: runtime.name, key, storage: tier.name, readers: 1 });
    }
    runtime.stats.hits[tier.index] = (runtime.stats.hits[tier.index] ?? 0) + 1;
  }

  open({ runtime, tier, since }: PlainReads, node: Node, key: string, call: CallContext): Flight {
    const activity = runtime.kind.activities.of(key);
    const asking = { runtime, node, key, call, opener: undefined };
    const flight = new Flight(asking, activity, plainRead, this.#flightSteps);
    activity.operations.begin(flight);
    activity.flights.open = flight;
    flight.reads = 1;
    flight.tier = tier.index;
    flight.mutations = activity.mutations;
    flight.readSince = since;
    flight.lastAsked = since;
    flight.readers = 1;
    flight.staying = 1;
    return flight;
  }

  examined(flight: Flight, tier: RemoteTier, bytes: Uint8Array, found: FoundRecord | undefined): void {
    this.#flightSteps.examined(flight, tier, bytes, found);
  }
}
