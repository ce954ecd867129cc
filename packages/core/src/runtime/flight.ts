import type { Node } from "../node/node.js";
import type { HeldGeneration } from "../storage/local-storage.js";
import { OperationTags } from "../tags/operation-tags.js";
import type { Tag } from "../tags/tag.js";
import type { RemoteRead } from "../tiers/remote-requests.js";
import type { ApartReader } from "./apart-reader.js";
import type { Asking, FlightOptions, LoadOverride } from "./asking.js";
import { CallContext } from "./call-context.js";
import type { ClassRuntime } from "./class-runtime.js";
import type { FillRights } from "./fill-rights.js";
import type { FlightState } from "./flight-state.js";
import type { FlightEnd, FlightSteps, Prefetching } from "./flight-steps.js";
import type { KeyActivity } from "./key-activity.js";
import { LateReaders } from "./late-readers.js";
import { type ListAnswer, originOf, PromiseAnswer } from "./list-answer.js";
import { nextBirth, Operation, unborn } from "./operation.js";
import { forgetReplaced, type ReplacedEntry } from "./replaced-entry.js";
import type { RunningLoad } from "./running-load.js";

/**
 * The one read of a key that is under way in this process. Every other reader of the key joins it.
 * All get the same promise object. A promise for each reader would cost more than the rest of the
 * miss.
 *
 * Readers that joined during the load are answered apart. The load may be older than a value that
 * they have seen. If the load was overtaken, they read again.
 */
export class Flight extends Operation implements RemoteRead {
  /** The runtime; it changes if the kind is replaced before the load began. */
  runtime: ClassRuntime;
  readonly node: Node;
  readonly key: string;
  readonly activity: KeyActivity;
  /** Whether it skips the tiers, so that its load is newer than every stored value. */
  readonly refreshes: boolean;
  readonly override: LoadOverride | undefined;
  /** The time up to which it takes no entry, because it replaces one that is fresh until then. */
  readonly dueUntil: number;
  /** Set if it replaces a stale entry in the background, without readers. Called at its end. */
  revalidates: FlightEnd | undefined;
  /** Set if it loads its node before it is read. Readers may join it. */
  readonly prefetches: Prefetching | undefined;
  /** The async context of the call that opened the flight. */
  readonly call: CallContext;
  /** The load in which the flight was opened, if any. */
  readonly opener: RunningLoad | undefined;

  state: FlightState = "reading";
  /** The number of reads that it answers. */
  readers = 0;
  /** The number of readers that may still want the answer. The others had a signal, and left. */
  staying = 0;
  /** The last birth before its last reader's call. A load born later is new enough for all. */
  lastAsked = 0;
  /** Whether a load waits for it. Then it waits for no slot that the load's chain may hold. */
  nested = false;
  /** The place of the tier that is being read. */
  tier = -1;
  /** Whether a newer value arrived, or a removal was called, since it began to read. */
  mustReadAgain = false;
  /** Whether a reader that has a limit of age has joined. */
  hasStrictReader = false;
  /** The number of times that it has begun to read. */
  reads = 0;
  /** Whether a tier was not read, so that the tier may hold an older value than the load's. */
  skippedTier = false;
  /** The state of the key's writes and removals when it began to read. */
  mutations = 0;
  /** The generations of the entry that it has found in a tier. */
  found: readonly HeldGeneration[] | undefined;
  /** The tags that are read with the entry because its value told them the last time. */
  expected: readonly Tag[] | undefined;
  /** The last birth number when it began to read. */
  readSince = 0;
  load: RunningLoad | undefined;
  /** The flight whose answer it takes over, or that answers readers that joined too late. */
  follows: Flight | undefined;
  /** The flights that take over its answer. */
  followers: Flight[] | undefined;
  /** The readers that are answered apart. */
  apart: ApartReader[] | undefined;
  /** The ttl that the load set for its value, in milliseconds. */
  ttl: number | undefined;
  /** Whether the load has called `skip`, so that its value is not stored. */
  skip = false;
  /** Its rights to fill the remote tiers; `undefined` for a class without leases. */
  rights: FillRights | undefined;
  /** The entry that the load replaces, as a remote tier has answered it. */
  replaced: ReplacedEntry | undefined;
  /** Ends its wait for another process's lease. */
  wake: (() => void) | undefined;

  /** The readers that joined during the load. */
  late: LateReaders | undefined;
  readonly #steps: FlightSteps;
  /** The answer of the readers that asked before the load began, made when the first of them needs it. */
  #early: PromiseAnswer | undefined;
  /** The list that one of its readers belongs to, and that reader's place in it. */
  #list: ListAnswer | undefined;
  #listPlace = 0;

  constructor(asking: Asking, activity: KeyActivity, options: FlightOptions, steps: FlightSteps) {
    super(unborn);
    this.runtime = asking.runtime;
    this.node = asking.node;
    this.key = activity.key;
    this.activity = activity;
    this.call = asking.call ?? new CallContext();
    this.opener = asking.opener;
    this.refreshes = options.refreshes ?? false;
    this.override = options.override;
    this.dueUntil = options.dueUntil ?? Number.NEGATIVE_INFINITY;
    this.revalidates = options.revalidates;
    this.prefetches = options.prefetches;
    this.replaced = options.replaced;
    this.#steps = steps;
    const tags = asking.tags ?? asking.runtime.nodeTags?.of(asking.node, this.key);
    if (tags !== undefined) this.tagged = new OperationTags(tags);
  }

  get storageKey(): string {
    return this.activity.storageKey;
  }

  /** The node's tags, whose generations are read with its entry. */
  get tags(): readonly Tag[] | undefined {
    return this.tagged?.own;
  }

  arrived(bytes: Uint8Array | undefined, trouble: Error | undefined): void {
    this.#steps.arrived(this, bytes, trouble);
  }

  get settled(): boolean {
    return this.state === "settled";
  }

  /** Whether the load has begun. A reader that joins now may have seen a newer value. */
  get hasBegun(): boolean {
    return this.state === "loading" || this.state === "filling";
  }

  /** Whether no reader wants the answer any more. */
  get isAbandoned(): boolean {
    return this.staying === 0;
  }

  /**
   * Whether each reader must be answered apart, because the nearest local tier gives each reader a
   * copy.
   */
  get givesCopies(): boolean {
    return this.readers > 0 && this.runtime.nearest?.storage.copy !== undefined;
  }

  /**
   * Whether a tier may hold an older value than the load's. The tier was not read, was written to
   * since, or a reader has a limit of age. If the new value cannot be stored, the old one is
   * removed.
   */
  override get replaces(): boolean {
    const isWritten = this.mutations !== this.activity.mutations;
    return this.mustReplace || this.refreshes || this.skippedTier || this.hasStrictReader || isWritten;
  }

  /**
   * Moves the flight to the class's new runtime. Its tiers were not read, and may hold an older
   * value.
   */
  moveTo(runtime: ClassRuntime): void {
    if (runtime.kind.activities !== this.runtime.kind.activities) return; // The new runtime has other keys.
    if (this.runtime.crowd === this) this.runtime.crowd = undefined;
    this.runtime = runtime;
    this.skippedTier = runtime.remoteTiers.length > 0;
  }

  /** Returns the answer for a reader that joins now. */
  promise(): Promise<unknown> {
    if (!this.hasBegun) return this.promiseOfEarlier();
    this.late ??= new LateReaders(this);
    return this.late.join();
  }

  /** Whether the flight answers this reader of a list: it does so for one that asks before the load begins. */
  answersList(list: ListAnswer, place: number): boolean {
    if (this.hasBegun || this.#list !== undefined) return false;
    [this.#list, this.#listPlace, this.isBulk] = [list, place, list.isBulk === true];
    return true;
  }

  /** Returns the answer for a reader that asked before the load began. */
  promiseOfEarlier(): Promise<unknown> {
    this.#early ??= new PromiseAnswer();
    return this.#early.promise;
  }

  /** Takes over the promise of a read that has begun without a flight. */
  takeOver(answer: PromiseAnswer): void {
    this.#early = answer;
  }

  /** Whether readers joined during the load. */
  get hasLateReaders(): boolean {
    return this.late !== undefined || (this.apart?.some(({ asked }) => asked >= this.birth) ?? false);
  }

  /** Takes out the readers that joined during the load, if any, so that the caller answers them. */
  takeLate(): LateReaders | undefined {
    const late = this.late;
    this.late = undefined;
    return late;
  }

  override fence(birth: number): void {
    forgetReplaced(this);
    if (this.state === "reading" || this.state === "acquiring") this.mustReadAgain = true;
    else if (this.state === "following") this.mustReadAgain ||= this.follows?.isOlderThan(birth) ?? false;
    else if (this.hasBegun) this.close();
    else if (this.rights?.isHolding === true) this.mustReadAgain = true; // Its leases may be gone.
    if (this.fenced || this.mustReadAgain) this.#steps.overtaken(this);
  }

  override clear(): void {
    forgetReplaced(this);
    if (this.state === "reading" || this.state === "acquiring") this.mustReadAgain = true;
    else if (this.state === "following") {
      this.mustReadAgain ||= this.follows?.hasBegun ?? false;
      if (this.mustReadAgain) this.#steps.overtaken(this);
    } else if (this.hasBegun) {
      super.clear();
      this.activity.flights.closes(this);
    }
  }

  override lose(): void {
    this.close();
  }

  /** Lets no new reader join, and no tier take the value. */
  close(): void {
    this.fenced = true;
    this.activity.flights.closes(this);
  }

  /** Returns whether the load has begun, and began before the birth. */
  isOlderThan(birth: number): boolean {
    return this.state === "following" ? this.mustReadAgain : this.hasBegun && this.birth < birth;
  }

  /** Draws the birth number, because the load begins. */
  begin(): void {
    this.state = "loading";
    this.birth = nextBirth();
    const { flights } = this.activity;
    if (flights.next === this) flights.next = undefined;
  }

  /** Counts a reader, or a flight that takes over the answer. */
  stay(): void {
    this.staying += 1;
    // When its last reader left, it also left the leader.
    if (this.staying === 1 && this.state === "following") this.follows?.stay();
    this.load?.joined();
  }

  /** Counts a reader with a signal that has left. After the last one, the load may be aborted. */
  leave(): void {
    this.staying -= 1;
    if (this.settled) return;
    this.load?.left();
    if (this.isAbandoned && this.state === "following") this.follows?.leave();
  }

  /**
   * Ends the flight without an answer. Every reader has left before the load began, even those of
   * the flights that take over the answer.
   */
  drop(): void {
    this.runtime.stats.misses += this.readers;
    this.#end();
    for (const follower of this.followers ?? []) {
      follower.follows = undefined;
      follower.drop();
    }
  }

  /** Answers the readers from before the load began. */
  resolve(value: unknown): void {
    this.#end();
    this.answer(value);
  }

  /** Answers those who have asked so far. The flight may go on. */
  answer(value: unknown): void {
    this.#early?.resolve(0, value);
    this.#list?.resolve(this.#listPlace, value, originOf(this));
    this.#early = undefined;
    this.#list = undefined;
  }

  reject(error: unknown): void {
    this.#end({ error });
    this.#early?.reject(0, error);
    this.#list?.reject(this.#listPlace, error);
    this.late?.reject(error);
  }

  #end(failure?: { readonly error: unknown }): void {
    this.state = "settled";
    if (this.runtime.crowd === this) this.runtime.crowd = undefined;
    this.rights?.giveBack();
    this.activity.flights.closes(this);
    this.activity.operations.end(this);
    this.activity.rest();
    this.revalidates?.ended(this, failure);
    this.prefetches?.ended(this, failure);
  }
}
