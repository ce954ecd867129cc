import type { Background } from "../background.js";
import type { Clock } from "../clock.js";
import type { Entry } from "../entry/entry.js";
import type { Events } from "../events.js";
import { checkedKey } from "../node/key.js";
import type { Node } from "../node/node.js";
import type { LoadSpace } from "../node/reads.js";
import type { Prefetches } from "../prefetch/prefetches.js";
import { type ApartReader, addApart } from "../runtime/apart-reader.js";
import type { Asking, FlightOptions } from "../runtime/asking.js";
import type { CallContext } from "../runtime/call-context.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { ClassRuntimes } from "../runtime/class-runtimes.js";
import { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import { answer, type ListAnswer } from "../runtime/list-answer.js";
import { lastBirth, unborn } from "../runtime/operation.js";
import { sharedState } from "../shared-state.js";
import type { Tick } from "../tiers/tick.js";
import type { Store } from "../write/store.js";
import { leaveOnAbort } from "./abort.js";
import { noteCrowd } from "./crowd.js";
import type { Load } from "./load.js";
import { currentLoad } from "./load-frame.js";
import { nestedRead, openIn } from "./nested-read.js";
import { Pipeline } from "./pipeline.js";
import { PlainReading } from "./plain-reading.js";
import type { ReadParts } from "./read-parts.js";
import { ReaderValues } from "./reader-values.js";
import { currentRecording } from "./recording.js";
import type { Rejoining } from "./rejoining.js";
import { RemoteTiers } from "./remote-tiers.js";
import { Revalidations } from "./revalidations.js";
import { refuseNestedSelf, Wait } from "./wait-graph.js";

/** The requirements of a reader besides the value. */
export interface Wishes extends FlightOptions {
  /** Milliseconds; `Infinity` for any age. */
  readonly maxAge: number;
  readonly signal: AbortSignal | undefined;
}

const plainRead: FlightOptions = {};

const anyAge: Wishes = { maxAge: Number.POSITIVE_INFINITY, signal: undefined };

/**
 * Takes in the readers that no local tier could answer. Each joins a flight of its key, or opens
 * one.
 */
export class Joining {
  readonly #pipeline: Pipeline;
  readonly #runtimes: ClassRuntimes;
  readonly parts: ReadParts;
  readonly #plainReading: PlainReading;

  constructor(
    clock: Clock,
    events: Events,
    tick: Tick,
    store: Store,
    space: LoadSpace,
    runtimes: ClassRuntimes,
    background: Background,
    prefetches: Prefetches,
  ) {
    this.#runtimes = runtimes;
    const { tags } = runtimes;
    const values = new ReaderValues();
    const remoteTiers = new RemoteTiers(clock, events, values, tags);
    const revalidations = new Revalidations(clock, events, background, this.#openBehind);
    prefetches.open = this.#openBehind;
    const rejoining: Rejoining = {
      openFlight: ({ runtime, node, key, call, nested, tags }) => {
        const current = runtimes.current(runtime, node);
        const asking = { runtime: current, node, key, call, opener: undefined, tags };
        const flight = this.#openFlight(asking, plainRead);
        if (nested) this.#pipeline.promote(flight);
        return flight;
      },
      refreshFor: (reader, replaced) => this.#refreshFor(reader, replaced),
      renew: (flight) => {
        const { runtime, node } = flight;
        const current = runtimes.current(runtime, node);
        if (current !== runtime) flight.moveTo(current);
      },
    };
    const given = { clock, events, tick, store, space, tags };
    this.parts = { ...given, remoteTiers, values, revalidations, prefetches, rejoining };
    this.#pipeline = new Pipeline(this.parts);
    this.#plainReading = new PlainReading(this.parts, this.#pipeline);
  }

  /**
   * Joins the open flight of the key, or opens one. The local tiers have been read and do not have
   * the value.
   *
   * @param key as the node's `key()` returned it, unchecked
   * @param call default: the context of the caller
   * @throws KeyError `CACHEME_INVALID_KEY`
   */
  read(runtime: ClassRuntime, node: Node, key: string, call: CallContext | undefined): Promise<unknown> {
    const opener = currentLoad();
    const activity = runtime.kind.activities.find(key);
    const isFree = activity === undefined && opener === undefined;
    const plain = isFree ? this.#plainReading.read(runtime, node, key, call) : undefined;
    if (plain !== undefined) return plain;
    const flight =
      openIn(activity, opener, this.#runtimes) ?? this.#openChecked({ runtime, node, key, call, opener });
    if (flight.givesCopies) return this.#boardApart(flight, anyAge, opener);
    if (flight.readers > 0) noteCrowd(flight);
    return this.#board(flight, undefined, opener);
  }

  /** Does the same for a place of a list, which needs no promise of its own. */
  readForList(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    call: CallContext | undefined,
    list: ListAnswer,
    place: number,
  ): void {
    const opener = currentLoad();
    const activity = runtime.kind.activities.find(key);
    const isFree = activity === undefined && opener === undefined;
    if (isFree && this.#plainReading.readForList(runtime, node, key, call, list, place)) return;
    const flight =
      openIn(activity, opener, this.#runtimes) ?? this.#openChecked({ runtime, node, key, call, opener });
    if (opener === undefined && !flight.givesCopies && flight.answersList(list, place)) this.#count(flight);
    else if (flight.givesCopies) answer(list, place, this.#boardApart(flight, anyAge, opener));
    else answer(list, place, this.#board(flight, undefined, opener));
  }

  /** Does the same for a reader with requirements. */
  readWith(
    runtime: ClassRuntime,
    node: Node,
    key: string,
    call: CallContext | undefined,
    wishes: Wishes,
  ): Promise<unknown> {
    const opener = currentLoad();
    const { signal } = wishes;
    // A load that begins later satisfies every age limit.
    const maxAge = wishes.refreshes ? Number.POSITIVE_INFINITY : wishes.maxAge;
    const asking = { runtime, node, key, call, opener };
    const flight = wishes.refreshes ? this.#nextFlight(asking, wishes) : this.#openFlight(asking, wishes);
    if (maxAge !== Number.POSITIVE_INFINITY || flight.givesCopies)
      return this.#boardApart(flight, { ...wishes, maxAge }, opener);
    return this.#board(flight, signal, opener);
  }

  /** Gives the leases of all running loads back. */
  close(): void {
    this.#pipeline.close();
  }

  /** Returns a remote tier's entry of the node, without loading, filling or counting. */
  peek(runtime: ClassRuntime, node: Node, key: string): Promise<Entry | undefined> {
    return this.parts.remoteTiers.peek(runtime, node, key);
  }

  /** Checks the key, which no flight has. */
  #openChecked(asking: Asking): Flight {
    return this.#openFlight({ ...asking, key: checkedKey(asking.key, asking.runtime.name) }, plainRead);
  }

  #openFlight(asking: Asking, options: FlightOptions): Flight {
    const activity = asking.runtime.kind.activities.of(asking.key);
    const { flights } = activity;
    if (flights.open !== undefined) return flights.open;
    flights.open = this.#newFlight(asking, activity, options);
    return this.#entered(flights.open);
  }

  /**
   * Returns the flight that skips the tiers and has not begun its load. So the load is newer than
   * its reader.
   */
  #nextFlight(asking: Asking, options: FlightOptions): Flight {
    const activity = asking.runtime.kind.activities.of(asking.key);
    const { flights } = activity;
    if (flights.next !== undefined) return flights.next;
    flights.next = this.#newFlight(asking, activity, { ...options, refreshes: true });
    return this.#entered(flights.next);
  }

  /** Opens a flight in the background: it replaces a stale entry, or loads a node before it is read. */
  readonly #openBehind = (asking: Asking, options: FlightOptions): Flight => {
    const runtime = this.#runtimes.current(asking.runtime, asking.node);
    const activity = runtime.kind.activities.of(asking.key);
    const flight = this.#newFlight({ ...asking, runtime }, activity, options);
    flight.stay(); // So it is not abandoned, although it has no readers.
    activity.flights[options.prefetches === undefined ? "revalidating" : "open"] = flight;
    return this.#entered(flight);
  };

  #newFlight(asking: Asking, activity: KeyActivity, options: FlightOptions): Flight {
    const { opener } = asking;
    if (opener !== undefined && !activity.operations.isEmpty) refuseNestedSelf(opener, activity);
    try {
      const flight = new Flight(asking, activity, options, this.#pipeline);
      activity.operations.begin(flight);
      return flight;
    } catch (error) {
      activity.rest(); // The node's tags are invalid, or asking for them has thrown.
      throw error;
    }
  }

  #entered(flight: Flight): Flight {
    this.#pipeline.enter(flight);
    return flight;
  }

  /** Counts a reader in. If a load awaits the answer, the load waits for the flight. */
  #board(flight: Flight, signal: AbortSignal | undefined, opener: Load | undefined): Promise<unknown> {
    this.#count(flight);
    const answer = flight.promise();
    if (signal === undefined && opener === undefined) return answer;
    const wait = opener && new Wait(opener, flight);
    const joined = flight.hasBegun ? flight.late : flight;
    return this.#own(answer, signal, wait, flight, () => joined?.leave());
  }

  /** Returns the answer for one reader. The reader may leave, and a load may wait for it. */
  #own(
    answer: Promise<unknown>,
    signal: AbortSignal | undefined,
    wait: Wait | undefined,
    flight: Flight,
    leave: () => void,
  ): Promise<unknown> {
    const left = () => {
      wait?.end();
      leave();
    };
    const own = signal === undefined ? answer : leaveOnAbort(answer, signal, left);
    if (wait === undefined) return own;
    this.#pipeline.promote(flight);
    return nestedRead(own, wait);
  }

  /** Counts a reader. A load with the option `track` depends on the nodes that it reads. */
  #count(flight: Flight): void {
    if (sharedState.recordings > 0) currentRecording()?.addFlight(flight);
    if (flight.readers > 0 || flight.prefetches !== undefined) flight.runtime.stats.coalesced += 1;
    this.#add(flight);
  }

  #add(flight: Flight): void {
    flight.readers += 1;
    flight.stay();
    flight.lastAsked = lastBirth();
  }

  #boardApart(flight: Flight, wishes: Wishes, opener: Load | undefined): Promise<unknown> {
    const { maxAge, override, signal } = wishes;
    const asked = lastBirth();
    this.#count(flight);
    if (maxAge !== Number.POSITIVE_INFINITY) flight.hasStrictReader = true;
    const wait = opener && new Wait(opener, flight);
    let leave = () => flight.leave();
    const answer = new Promise<unknown>((resolve, reject) => {
      const reader: ApartReader = {
        maxAge,
        asked,
        override,
        wait,
        flight,
        hasJoinedLoad: flight.hasBegun,
        hasLeft: false,
        resolve,
        reject,
      };
      leave = () => {
        reader.hasLeft = true;
        reader.flight.leave();
      };
      addApart(flight, reader);
    });
    return this.#own(answer, signal, wait, flight, () => leave());
  }

  /**
   * Takes a reader to a load that begins after the reader's call, because the value is too old for
   * it.
   */
  #refreshFor(reader: ApartReader, replaced: FlightOptions["replaced"]): void {
    const { node, key, call, tags } = reader.flight;
    const { override, wait } = reader;
    const runtime = this.#runtimes.current(reader.flight.runtime, node);
    if (reader.hasLeft) {
      runtime.stats.misses += 1;
      return;
    }
    try {
      const options = { override, replaced };
      const running = runtime.kind.activities.find(key)?.flights.runningFor(reader);
      const flight =
        running ?? this.#nextFlight({ runtime, node, key, call, opener: wait?.load, tags }, options);
      wait?.moveTo(flight);
      this.#add(flight);
      reader.flight = flight;
      if (wait !== undefined) this.#pipeline.promote(flight);
      if (flight.birth === unborn || flight.birth > reader.asked) reader.maxAge = Number.POSITIVE_INFINITY;
      reader.hasJoinedLoad = true;
      addApart(flight, reader);
    } catch (error) {
      runtime.stats.misses += 1;
      reader.reject(error);
    }
  }
}
