import type { Node } from "../node/node.js";
import type { FlightlessReads } from "../runtime/activities.js";
import type { CallContext } from "../runtime/call-context.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Flight } from "../runtime/flight.js";
import { type ListAnswer, PromiseAnswer } from "../runtime/list-answer.js";
import type { RemoteTier } from "../runtime/node-kind.js";
import { lastBirth } from "../runtime/operation.js";
import type { RemoteRead } from "../tiers/remote-requests.js";
import type { FoundRecord } from "./remote-tiers.js";

/** The steps of reads without flights. */
export interface PlainReadSteps {
  /** Returns the entry in a tier's bytes, if it may be returned. */
  entryIn(reads: PlainReads, storageKey: string, bytes: Uint8Array): FoundRecord | undefined;
  /** Returns whether the entry answers the read, and needs nothing else. */
  isPlainHit(reads: PlainReads, entry: FoundRecord): boolean;
  /** Called with the entry of a plain hit. */
  hit(reads: PlainReads, key: string, entry: FoundRecord): void;
  /** Returns a new flight in the state of a read. */
  open(reads: PlainReads, node: Node, key: string, call: CallContext): Flight;
  /** Called for a flight whose bytes are no plain hit. */
  examined(flight: Flight, tier: RemoteTier, bytes: Uint8Array, found: FoundRecord | undefined): void;
}

/**
 * The reads of one class and one tick in the class's first remote tier. Nearly all are plain hits,
 * which need none of a flight's fields. A read becomes a flight if it misses, or if anything else
 * needs its key meanwhile, such as another reader or an invalidation.
 */
export class PlainReads implements FlightlessReads {
  readonly runtime: ClassRuntime;
  readonly tier: RemoteTier;
  readonly steps: PlainReadSteps;
  /** The last birth number when the reads began. */
  readonly since: number = lastBirth();
  readonly #byKey = new Map<string, PlainRead>();
  /** The number of reads that were not answered and are no flights. */
  size = 0;

  constructor(runtime: ClassRuntime, tier: RemoteTier, steps: PlainReadSteps) {
    this.runtime = runtime;
    this.tier = tier;
    this.steps = steps;
  }

  /** Reads a node. Nothing may be under way for its key. */
  add(node: Node, key: string, call: CallContext, answer: ListAnswer, place: number): void {
    const { kind } = this.runtime;
    if (this.size === 0) kind.activities.begins(this);
    this.size += 1;
    const read = new PlainRead(this, node, key, kind.storageKey(key), call, answer, place);
    this.#byKey.set(key, read);
    this.tier.storage.read(read);
  }

  open(key: string): void {
    this.#byKey.get(key)?.open();
  }

  openAll(): void {
    for (const read of this.#byKey.values()) read.open();
  }

  /** Counts a read that was answered, or became a flight. */
  left(): void {
    this.size -= 1;
    if (this.size === 0) this.runtime.kind.activities.ends(this);
  }
}

/** The read of one node. It is small, because a long list makes one for each of its nodes. */
class PlainRead implements RemoteRead {
  readonly #reads: PlainReads;
  readonly #key: string;
  readonly storageKey: string;
  readonly #call: CallContext;
  readonly #answer: ListAnswer;
  readonly #place: number;
  /** `undefined` once the read was answered or is a flight. */
  #node: Node | undefined;
  #flight: Flight | undefined;

  constructor(
    reads: PlainReads,
    node: Node,
    key: string,
    storageKey: string,
    call: CallContext,
    answer: ListAnswer,
    place: number,
  ) {
    this.#reads = reads;
    this.#node = node;
    this.#key = key;
    this.storageKey = storageKey;
    this.#call = call;
    this.#answer = answer;
    this.#place = place;
  }

  arrived(bytes: Uint8Array | undefined, trouble: Error | undefined): void {
    const { tier, steps } = this.#reads;
    if (bytes === undefined || this.#flight !== undefined) {
      this.open()?.arrived(bytes, trouble);
      return;
    }
    const found = steps.entryIn(this.#reads, this.storageKey, bytes);
    if (found !== undefined && steps.isPlainHit(this.#reads, found)) {
      this.#node = undefined;
      this.#reads.left();
      steps.hit(this.#reads, this.#key, found);
      this.#answer.resolve(this.#place, found.value);
      return;
    }
    const flight = this.open();
    if (flight !== undefined) steps.examined(flight, tier, bytes, found);
  }

  /** Returns the flight that the read has become. */
  open(): Flight | undefined {
    const node = this.#node;
    if (node === undefined) return this.#flight;
    this.#node = undefined;
    this.#reads.left();
    this.#flight = this.#reads.steps.open(this.#reads, node, this.#key, this.#call);
    if (this.#answer instanceof PromiseAnswer) this.#flight.takeOver(this.#answer);
    else this.#flight.answersList(this.#answer, this.#place);
    return this.#flight;
  }
}
