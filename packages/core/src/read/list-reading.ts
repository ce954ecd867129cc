import type { Clock } from "../clock.js";
import { Failure } from "../entry/failure.js";
import { isFresh } from "../entry/lifetime.js";
import type { Events } from "../events.js";
import { checkedKey } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { CallContext } from "../runtime/call-context.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import { Flight } from "../runtime/flight.js";
import type { FlightSteps } from "../runtime/flight-steps.js";
import type { ListAnswer } from "../runtime/list-answer.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import { lastBirth } from "../runtime/operation.js";
import { sharedState } from "../shared-state.js";
import type { Tick } from "../tiers/tick.js";
import { type ListReadSteps, ListReads } from "./list-reads.js";
import { fillLeft } from "./local-tiers.js";
import type { FoundRecord, RemoteTiers } from "./remote-tiers.js";

/** The steps of a flight whose first answer was examined elsewhere. */
export interface ExaminedSteps extends FlightSteps {
  examined(flight: Flight, tier: RemoteTier, bytes: Uint8Array, found: FoundRecord | undefined): void;
}

const plainRead = {};

/** Reads the nodes of lists without a flight for each, as long as they are plain hits. */
export class ListReading implements ListReadSteps {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #tick: Tick;
  readonly #remoteTiers: RemoteTiers;
  readonly #flightSteps: ExaminedSteps;
  /** The reads that this tick's nodes are added to. */
  readonly #gathered = new Map<ClassRuntime, ListReads>();

  constructor(
    clock: Clock,
    events: Events,
    tick: Tick,
    remoteTiers: RemoteTiers,
    flightSteps: ExaminedSteps,
  ) {
    this.#clock = clock;
    this.#events = events;
    this.#tick = tick;
    this.#remoteTiers = remoteTiers;
    this.#flightSteps = flightSteps;
  }

  /**
   * Reads the node for a place of a list. Returns whether it does: not for a node with tags, for a key
   * that is in use, and if each reader gets a copy.
   *
   * @param key as the node's `key()` returned it, unchecked
   * @throws KeyError `CACHEME_INVALID_KEY`
   */
  takes(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    call: CallContext | undefined,
    list: ListAnswer,
    place: number,
  ): boolean {
    const [tier] = runtime.remoteTiers;
    if (tier === undefined || call === undefined || sharedState.recordings > 0) return false;
    if (runtime.nodeTags !== undefined || runtime.nearest?.storage.copy !== undefined) return false;
    if (!runtime.kind.activities.isPlain(key, tier)) return false;
    checkedKey(key, runtime.name);
    this.#readsOf(runtime, tier, list, call).add(node, key, place);
    return true;
  }

  #readsOf(runtime: ClassRuntime, tier: RemoteTier, list: ListAnswer, call: CallContext): ListReads {
    const gathered = this.#gathered.get(runtime);
    if (gathered?.list === list && gathered.call === call && gathered.since === lastBirth()) return gathered;
    if (this.#gathered.size === 0) this.#tick.add(() => this.#gathered.clear());
    const reads = new ListReads(runtime, tier, list, call, this);
    this.#gathered.set(runtime, reads);
    return reads;
  }

  entryIn({ runtime, tier }: ListReads, storageKey: string, bytes: Uint8Array): FoundRecord | undefined {
    const { answeredAt } = tier.storage;
    return this.#remoteTiers.entryIn(runtime, tier, storageKey, bytes, undefined, answeredAt);
  }

  isPlainHit({ runtime, tier }: ListReads, entry: FoundRecord): boolean {
    const { claims } = entry;
    if (runtime.meta.errors !== undefined && Failure.is(entry.value)) return false;
    return (
      claims === undefined &&
      runtime.ahead === undefined &&
      (runtime.staleness === undefined || isFresh(entry, tier.storage.answeredAt))
    );
  }

  hit({ runtime, tier }: ListReads, key: string, entry: FoundRecord): void {
    const { kind } = runtime;
    const fills = tier.index > 0 && !kind.isReplaced && !kind.bypassesLocalTiers;
    if (fills) fillLeft(runtime, key, entry, tier.index, this.#clock.now());
    if (this.#events.listeners.hit !== null) {
      this.#events.emit("hit", { node: runtime.name, key, storage: tier.name, readers: 1 });
    }
    runtime.stats.hits[tier.index] = (runtime.stats.hits[tier.index] ?? 0) + 1;
  }

  open({ runtime, tier, call, since }: ListReads, node: Node, key: string): Flight {
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
