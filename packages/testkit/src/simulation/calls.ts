import {
  CachedError,
  CachemeError,
  type LoadContext,
  type Node,
  type NodeClass,
  StorageError,
} from "cacheme";
import { SourceError } from "../cluster/hold.js";
import type { SimulatedCluster } from "../cluster/simulated-cluster.js";
import type { Activity, Actor, Read } from "./actor.js";
import { checkAnswer, checkInvalidations, raiseGiven, type Violation } from "./answer-check.js";
import { Changes } from "./changes.js";
import { checkAge, checkErrorAge, type Freshness } from "./freshness.js";
import { History } from "./history.js";
import type { Knowledge } from "./invalidations.js";
import { checkNeededLoad, checkNewLoad } from "./load-check.js";
import type { Origin } from "./origins.js";
import { keys } from "./schedule.js";
import { Source, tag } from "./simulated-node.js";

/** The parts of a simulation that its set-up decides. */
export interface SimulationParts {
  readonly cluster: SimulatedCluster;
  readonly node: (key: number) => Node<number>;
  readonly nodeClass: NodeClass;
  /** The way of saved values; `undefined` if the node class has no `save`. */
  readonly write: "through" | "around" | undefined;
  readonly knowledge: Knowledge;
  /** The length of leases in milliseconds, `undefined` if they are off. */
  readonly lease: number | undefined;
  readonly tags: "before" | "after" | undefined;
  readonly freshness: Freshness | undefined;
  /** Called with each event, for a person to read. */
  readonly trace: ((line: () => string) => void) | undefined;
}

/** Makes the calls of a cluster's processes, and holds every answer against the promises. */
export class Calls {
  readonly violations: Violation[] = [];
  readonly history: History;
  /** The number of reads that were answered with a value. */
  answered = 0;
  /** The number of loads that have begun, and of those that have failed. */
  loads = 0;
  failedLoads = 0;
  /** The value of the last load. */
  lastLoad = 0;
  readonly #parts: SimulationParts;

  /** The calls that change values. */
  readonly changes: Changes;

  constructor(parts: SimulationParts) {
    this.#parts = parts;
    this.changes = new Changes(this, parts);
    this.history = new History(parts.cluster, parts.trace);
    const shouldCache = parts.freshness?.retention.shouldCache;
    this.history.onTaken = ({ kind, born }) => {
      if (kind === "load" && shouldCache?.(born) === false)
        this.violates("freshness", `a server has taken load ${born}, which shouldCache keeps out`);
    };
    for (const actor of this.history.actors) this.#provide(actor);
  }

  /** The number of calls that have not settled. */
  get unsettled(): number {
    return this.history.actors.reduce((sum, { unsettled }) => sum + unsettled, 0);
  }

  /** Records that a process has started again. */
  restarted(number: number): void {
    this.#provide(this.history.starts(number));
  }

  read(actor: Actor, key: number, way: Exclude<Read["way"], "getAll">, maxAge?: number): void {
    const { cacheme } = actor.process;
    const node = this.#parts.node(key);
    const read = this.#begin(actor, key, way, maxAge);
    const overtakes = way === "get" ? [] : [key];
    const answer =
      way === "refresh"
        ? cacheme.refresh(node)
        : way === "get"
          ? cacheme.get(node)
          : cacheme.get(node, { fresh: way === "fresh", maxAge });
    this.settles(actor, [key], overtakes, answer, {
      done: (value) => this.#answer(read, value),
      failed: (error) => this.#reject([read], error),
    });
  }

  readAll(actor: Actor): void {
    const reads = keys.map((key) => this.#begin(actor, key, "getAll"));
    const answer = actor.process.cacheme.getAll(keys.map(this.#parts.node));
    this.settles(actor, keys, [], answer, {
      done: (values) => {
        for (const [place, read] of reads.entries()) this.#answer(read, values[place]);
      },
      failed: (error) => this.#reject(reads, error),
    });
  }

  violates(promise: Violation["promise"], what: string): void {
    this.violations.push({ promise, what });
    this.tell(() => `BROKEN promise ${promise}: ${what}`);
  }

  tell(line: () => string): void {
    this.#parts.trace?.(line);
  }

  #provide(actor: Actor): void {
    const load = (key: number, context: LoadContext<number>) => this.#load(actor, key, context);
    const { cacheme } = actor.process;
    cacheme.provide(Source, { load, save: (key, value) => this.changes.writeSource(actor, key, value) });
    cacheme.on("notStored", () => {}); // Without a listener, each would be a process warning.
    cacheme.on("storageError", ({ error }) => {
      if (error instanceof StorageError && error.isLate) actor.fail(undefined, this.history.origins.next());
    });
    cacheme.on("breaker", ({ storage, state }) => {
      if (state === "closed") actor.open.delete(storage);
      else actor.open.add(storage);
      actor.fail(undefined, this.history.origins.next());
    });
  }

  async #load(actor: Actor, key: number, context: LoadContext<number>): Promise<number> {
    const { history } = this;
    const { time } = this.#parts.cluster;
    const since = Math.min(actor.oldest(key), history.origins.next());
    const running = { key, born: 0, since, sinceTime: actor.sinceTime(key, time.now) };
    const overtaking = { overtaken: history.overtaken(key), lost: history.lost };
    const wrong = checkNewLoad(actor, running, history.actors, overtaking, this.#parts.lease, time.now);
    if (wrong !== undefined) this.violates(1, `key ${key}: ${wrong}`);
    // An entry with tags may have become invalid with another key's, and a stale one is loaded again.
    const { freshness, tags } = this.#parts;
    const kept = tags === undefined && freshness === undefined ? history.kept[key] : undefined;
    const needless = checkNeededLoad(actor, running, kept, overtaking, time.now);
    if (needless !== undefined) this.violates(1, `key ${key}: ${needless}`);
    this.loads += 1;
    const origin = history.origins.begin("load", key, actor, this.#parts.tags === undefined ? [] : [tag]);
    this.lastLoad = origin.born;
    this.tell(() => `load ${origin.born} of ${actor.name}, key ${key}, begins`);
    const load = { ...running, born: origin.born };
    const activity: Activity = { begun: origin.born, at: time.now, keys: [key], isRequest: false };
    actor.loads.add(load);
    // A load that took too long has ended for its process, which loads again.
    context.signal.addEventListener("abort", () => actor.loads.delete(load), { once: true });
    actor.begin(activity);
    try {
      await actor.process.hold("load", [`key${key}`]);
      if (this.#parts.tags === "after") context.tag(tag);
      origin.storedAt = time.now;
      return origin.born;
    } catch {
      this.failedLoads += 1;
      origin.failedAt = time.now;
      throw new SourceError(`The simulated load ${origin.born} has failed.`);
    } finally {
      actor.loads.delete(load);
      actor.end(activity);
    }
  }

  #begin(actor: Actor, key: number, way: Read["way"], maxAge?: number): Read {
    const { origins } = this.history;
    const asOf = Math.min(
      actor.oldest(key, ({ isRequest }) => isRequest),
      origins.next(),
    );
    const at = this.#parts.cluster.time.now;
    const joined = actor.oldest(key);
    const joinedAt = actor.sinceTime(key, at);
    const read: Read = { key, way, actor, born: origins.next(), at, maxAge, asOf, joined, joinedAt };
    actor.reads.add(read);
    const limit = maxAge === undefined ? "" : ` (${maxAge} ms)`;
    this.tell(() => `${actor.name} calls ${way} ${read.born} of key ${key}${limit}`);
    return read;
  }

  #answer(read: Read, value: unknown): void {
    const { actor, key, way, born } = read;
    this.answered += 1;
    actor.reads.delete(read);
    const origin = this.history.origins.of(value);
    this.tell(() => `${way} ${born} of ${actor.name}, key ${key}, gets ${origin?.kind} ${String(value)}`);
    const violation = checkAnswer(read, origin, value, this.history.invalidations, this.#parts.knowledge);
    if (violation !== undefined) this.violates(violation.promise, violation.what);
    this.#checkAge(read, origin);
    if (origin === undefined || !this.history.isPromised(origin.born)) return;
    const isLocal = actor.process.cacheme.peekLocal(this.#parts.node(key))?.value === value;
    raiseGiven(read, origin, isLocal, this.history.origins.next());
  }

  #checkAge(read: Read, origin: Origin | undefined): void {
    const { cluster, freshness, knowledge } = this.#parts;
    if (origin === undefined || freshness === undefined || !this.history.isPromised(origin.born)) return;
    const violation = checkAge(read, origin, freshness, cluster.time.now, knowledge);
    if (violation !== undefined) this.violates(violation.promise, violation.what);
  }

  #reject(reads: readonly Read[], error: unknown): void {
    for (const read of reads) {
      const { actor, key, way, born } = read;
      actor.reads.delete(read);
      this.tell(() => `${way} ${born} of ${actor.name}, key ${key}, is rejected: ${String(error)}`);
      if (error instanceof CachedError) this.#checkError(read, error);
      else if (!(error instanceof SourceError) && !this.#isTimeout(error)) {
        this.violates(5, `${way} ${born} of ${actor.name}, key ${key}, is rejected with ${String(error)}`);
      }
    }
  }

  /** Checks an error that a tier has kept. */
  #checkError(read: Read, { message }: CachedError): void {
    const { history } = this;
    const { freshness, knowledge } = this.#parts;
    const origin = history.origins.of(Number(/load (\d+)/.exec(message)?.[1]));
    if (freshness === undefined || origin?.failedAt === undefined) {
      this.violates(5, `read ${read.born} is rejected with ${message}, which no load has thrown`);
      return;
    }
    if (!history.isPromised(origin.born)) return;
    const what = `${read.way} ${read.born} of ${read.actor.name} gets the error of load ${origin.born}`;
    const violation =
      checkInvalidations(read, origin, what, history.invalidations, knowledge) ??
      checkErrorAge(read, origin, freshness, knowledge);
    if (violation !== undefined) this.violates(violation.promise, violation.what);
  }

  #isTimeout(error: unknown): boolean {
    return (
      this.#parts.freshness?.hard !== undefined &&
      error instanceof CachemeError &&
      error.code === "CACHEME_LOAD_TIMEOUT"
    );
  }

  /** Checks that a call was rejected with the error of that code. */
  expects(error: unknown, code: string, what: string): void {
    if ((error as { code?: unknown } | undefined)?.code === code) return;
    this.violates(5, `${what} is rejected with ${String(error)}`);
  }

  /** Follows a call until it settles. */
  settles<T>(
    actor: Actor,
    concerned: readonly number[],
    overtakes: readonly number[],
    call: Promise<T>,
    { done, failed }: { done(value: T): void; failed(error: unknown): void },
  ): void {
    const { history } = this;
    const { time } = this.#parts.cluster;
    const begun = history.origins.next();
    const activity: Activity = { begun, at: time.now, keys: concerned, isRequest: false };
    actor.unsettled += 1;
    actor.begin(activity);
    history.overtakes(overtakes);
    const settle = (report: () => void) => {
      history.hasOvertaken(overtakes);
      actor.unsettled -= 1;
      if (actor.process.isDead) return;
      report();
      actor.end(activity);
    };
    call.then(
      (value) => settle(() => done(value)),
      (error) => settle(() => failed(error)),
    );
  }
}
