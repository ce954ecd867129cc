import { Cacheme, type CacheTier, type LoadContext, memory, Node, type NodeMeta } from "../../src/index.js";
import { VirtualClock } from "../support/virtual-clock.js";
import { checkAnswer, raiseFloor, type Violation } from "./answer-check.js";
import { GatedRemote } from "./gated-remote.js";
import { type Gate, Gates, turn } from "./gates.js";
import { KeyHistory, type Read } from "./key-history.js";
import { checkNewLoad } from "./one-load-check.js";
import { checkRoundTrips } from "./round-trips-check.js";
import { type Ending, keys, type Schedule, type Step } from "./schedule.js";
import { type Setup, setups } from "./setups.js";
import { Values } from "./values.js";

/**
 * The orders in which loads end. A read has joined one of the loads of its key. Only the core knows
 * which, so both orders are tried.
 */
export type Probes = "oldest load first" | "youngest load first";

class SourceError extends Error {}

type NodeOfKey = (key: number) => Node<number>;

/** A class of two sources. Each evaluation of an edited module gives the other one. */
function simulatedNode(
  meta: NodeMeta,
  load: (key: number, context: LoadContext) => Promise<number>,
  time: number,
): NodeOfKey {
  abstract class Simulated extends Node<number> {
    static override meta: NodeMeta = meta;
    constructor(readonly id: number) {
      super();
    }
    key() {
      return `key${this.id}`;
    }
  }
  if (time % 2 === 0) {
    class Even extends Simulated {
      static override meta: NodeMeta = meta;
      override load(context: LoadContext) {
        return load(this.id, context);
      }
    }
    return (key) => new Even(key);
  }
  class Odd extends Simulated {
    static override meta: NodeMeta = meta;
    override load(context: LoadContext) {
      const { id } = this;
      return load(id, context);
    }
  }
  return (key) => new Odd(key);
}

/** One run of a schedule against a `Cacheme` of its own, and the promises that it broke. */
export class Simulation {
  readonly violations: Violation[] = [];
  /** The number of reads that were answered with a value. */
  answered = 0;
  readonly #clock = new VirtualClock();
  readonly #cacheme = new Cacheme({ clock: this.#clock });
  readonly #values = new Values();
  readonly #gates = new Gates();
  readonly #histories = keys.map(() => new KeyHistory());
  readonly #remotes: GatedRemote[] = [];
  readonly #storages = new Map<string, GatedRemote>();
  readonly #caches: readonly CacheTier[];
  readonly #listens: boolean;
  readonly #evaluate: (time: number) => NodeOfKey;
  #node: NodeOfKey;
  #evaluations = 0;
  #asked = 0;
  #replacements = 0;
  readonly #leaving: AbortController[] = [];
  readonly #probes: Probes;
  readonly #trace: ((line: string) => void) | undefined;
  #unsettled = 0;

  /**
   * @param probes the running load that ends first in the check what a read waits for
   * @param trace called with each event, for a person to read
   */
  constructor(setup: Setup, listens: boolean, probes: Probes, trace?: (line: string) => void) {
    this.#probes = probes;
    this.#trace = trace;
    this.#caches = setups[setup];
    this.#listens = listens;
    const meta = {
      name: "simulated",
      caches: setups[setup],
      loadTimeout: false,
      serializer: this.#values.serializer(),
    } as const;
    const load = (key: number, context: LoadContext) => this.#load(key, context);
    this.#evaluate = (time) => simulatedNode(meta, load, time);
    this.#node = this.#evaluate(0);
  }

  /**
   * Runs the schedule, checks what others could delay, lets everything end, and reads once more.
   */
  async run({ steps }: Schedule): Promise<this> {
    await this.#start();
    for (const step of steps) {
      this.#take(step);
      if (step.do === "trouble") await this.#fail();
      if (step.do === "release" || step.do === "turn") await turn();
    }
    await turn();
    this.#tell(() => "The schedule has ended. What may a read wait for?");
    for (const key of keys) await this.#probe(key);
    this.#tell(() => "Everything ends.");
    await this.#drain();
    for (const key of keys) void this.#read(key, "get");
    await this.#drain();
    if (this.#unsettled > 0) this.#violates(5, `${this.#unsettled} calls are not answered`);
    this.#checkStatistics();
    const closing = this.#cacheme.close();
    await this.#drain();
    await closing;
    return this;
  }

  async #start(): Promise<void> {
    this.#cacheme.on("notStored", () => {}); // Without a listener, each would be a process warning.
    for (const { storage } of this.#caches) {
      if (storage === "local") await this.#cacheme.registerStorage(storage, memory());
      else {
        const remote = new GatedRemote(this.#clock, this.#gates, this.#values, {
          sent: (sent) => this.#each(sent, (history) => history.begin(this.#values.born())),
          failed: (failed) => this.#each(failed, (history) => history.trouble(this.#values.born())),
          ended: (ended) => this.#each(ended, (history) => history.end()),
        });
        this.#remotes.push(remote);
        this.#storages.set(storage, remote);
        await this.#cacheme.registerStorage(storage, remote);
      }
    }
  }

  /** Overtakes everything under way, which then only serves earlier readers. */
  #overtakeAll(what: string): void {
    const born = this.#values.born();
    for (const key of keys) this.#history(key).overtake(born);
    this.#tell(() => `${what} (${born})`);
  }

  #reload(): void {
    this.#evaluations += 1;
    this.#node = this.#evaluate(this.#evaluations);
    this.#overtakeAll("the class is evaluated again");
    for (const key of keys) this.#cacheme.peekLocal(this.#node(key)); // The first use of the new class.
  }

  #replace(which: number): void {
    const storage = this.#caches[which % this.#caches.length]?.storage ?? "";
    const client = this.#storages.get(storage)?.another();
    if (client !== undefined) this.#storages.set(storage, client);
    this.#replacements += 1;
    const other = client ?? memory({ maxSize: 10 + this.#replacements }); // Two memory storages of one size count as one.
    const replaced = this.#cacheme.registerStorage(storage, other, { replace: true });
    void this.#settles(keys, replaced, {
      done: () => this.#overtakeAll(`storage ${storage} is replaced`),
      failed: (error) => this.#violates(5, `registerStorage is rejected with ${String(error)}`),
    });
  }

  #take(step: Step): void {
    switch (step.do) {
      case "get":
      case "fresh":
      case "refresh":
      case "getAndLeave":
        void this.#read(step.key, step.do);
        break;
      case "maxAge":
        void this.#read(step.key, step.do, step.ms);
        break;
      case "getAll":
        this.#readAll();
        break;
      case "set":
        this.#set(step.key, step.carriable);
        break;
      case "invalidate":
        this.#invalidate(step.key);
        break;
      case "leave":
        this.#leaving.splice(step.which % Math.max(1, this.#leaving.length), 1)[0]?.abort(new Error("left"));
        break;
      case "advance":
        this.#clock.advance(step.ms);
        this.#tell(() => `${step.ms} ms pass`);
        break;
      case "release":
        this.#open(step.which, step.how);
        break;
      case "reload":
        this.#reload();
        break;
      case "replace":
        this.#replace(step.which);
        break;
      case "turn":
      case "trouble":
        break;
    }
  }

  /**
   * Checks that each read counts once, however it ended. The counters start again when a class or a
   * storage is replaced.
   */
  #checkStatistics(): void {
    if (this.#evaluations + this.#replacements > 0) return;
    const { requestCount, coalescedCount } = this.#cacheme.stats();
    if (requestCount === this.#asked && coalescedCount <= requestCount) return;
    const counted = `${requestCount} requests, ${coalescedCount} of them coalesced`;
    this.#violates("each read counts once", `${this.#asked} reads count as ${counted}`);
  }

  #read(key: number, way: Exclude<Read["way"], "getAll">, maxAge?: number): Promise<void> {
    const leaving = way === "getAndLeave" ? new AbortController() : undefined;
    if (leaving !== undefined) this.#leaving.push(leaving);
    const read = this.#begin(key, way, maxAge, leaving?.signal);
    const node = this.#node(key);
    const answer =
      way === "refresh"
        ? this.#cacheme.refresh(node)
        : way === "get"
          ? this.#cacheme.get(node)
          : this.#cacheme.get(node, { fresh: way === "fresh", maxAge, signal: leaving?.signal });
    return this.#settles([key], answer, {
      done: (value) => this.#answer(read, value),
      failed: (error) => this.#reject([read], error),
    });
  }

  #readAll(): void {
    const reads = keys.map((key) => this.#begin(key, "getAll"));
    void this.#settles(keys, this.#cacheme.getAll(keys.map(this.#node)), {
      done: (values) => {
        for (const [place, read] of reads.entries()) this.#answer(read, values[place]);
      },
      failed: (error) => this.#reject(reads, error),
    });
  }

  #begin(key: number, way: Read["way"], maxAge?: number, signal?: AbortSignal): Read {
    this.#asked += 1;
    const floors = { ...this.#history(key).floors };
    const read: Read = { key, way, born: this.#values.born(), at: this.#clock.now(), maxAge, floors, signal };
    this.#history(key).reads.add(read);
    this.#tell(
      () => `${way} ${read.born} of key ${key} is called${maxAge === undefined ? "" : ` (${maxAge} ms)`}`,
    );
    return read;
  }

  #answer(read: Read, value: unknown): void {
    this.answered += 1;
    const history = this.#history(read.key);
    history.reads.delete(read);
    const origin = this.#values.of(value);
    const violation = checkAnswer(read, origin, value);
    this.#tell(() => `${read.way} ${read.born} of key ${read.key} gets ${origin?.kind} ${String(value)}`);
    if (violation !== undefined) this.#violates(violation.promise, violation.what);
    if (origin === undefined) return;
    const isLocal = this.#cacheme.peekLocal(this.#node(read.key))?.value === value;
    raiseFloor(history, read, origin, isLocal);
  }

  #reject(reads: readonly Read[], error: unknown): void {
    for (const read of reads) {
      this.#history(read.key).reads.delete(read);
      this.#tell(() => `${read.way} ${read.born} of key ${read.key} is rejected: ${String(error)}`);
      const left = read.signal?.aborted === true && error === read.signal.reason;
      if (!left && !(error instanceof SourceError)) {
        this.#violates(5, `${read.way} ${read.born} of key ${read.key} is rejected with ${String(error)}`);
      }
    }
  }

  #set(key: number, carriable: boolean): void {
    const history = this.#history(key);
    const origin = this.#values.begin("set", key, this.#clock.now());
    origin.carriable = carriable;
    const checkWait = this.#waits(key, `set ${origin.born}`);
    history.overtake(origin.born);
    this.#tell(() => `set ${origin.born} of key ${key} is called${carriable ? "" : " (not carriable)"}`);
    void this.#settles([key], this.#cacheme.set(this.#node(key), origin.born), {
      done: () => {
        origin.settled = true;
        this.#tell(() => `set ${origin.born} resolves`);
        checkWait();
        history.raiseNewest(origin.born, `set ${origin.born}`);
      },
      failed: (error) => {
        origin.settled = true;
        this.#tell(() => `set ${origin.born} rejects`);
        checkWait();
        const { code } = error as { code?: string };
        const known = carriable ? "CACHEME_WRITE_INCOMPLETE" : "CACHEME_NOT_SERIALIZABLE";
        if (code !== known) this.#violates(5, `set ${origin.born} is rejected with ${String(error)}`);
      },
    });
  }

  #invalidate(key: number): void {
    const history = this.#history(key);
    const born = this.#values.born();
    const checkWait = this.#waits(key, `invalidation ${born}`);
    history.overtake(born);
    this.#tell(() => `invalidation ${born} of key ${key} is called`);
    void this.#settles([key], this.#cacheme.invalidate(this.#node(key)), {
      done: () => {
        this.#tell(() => `invalidation ${born} resolves`);
        checkWait();
        history.raise("invalidated", born);
      },
      failed: (error) => {
        this.#tell(() => `invalidation ${born} rejects`);
        checkWait();
        history.raise("distrusted", born);
        const { code } = error as { code?: string };
        if (code !== "CACHEME_INVALIDATION_INCOMPLETE") {
          this.#violates(5, `invalidation ${born} is rejected with ${String(error)}`);
        }
      },
    });
  }

  /**
   * Counts the requests from now on.
   *
   * @returns the check to make when the call settles. With several remote tiers it checks nothing,
   *   because the call waits for each of them in turn
   */
  #waits(key: number, call: string): () => void {
    const [remote, another] = this.#remotes;
    if (remote === undefined || another !== undefined) return () => {};
    const before = remote.mutations.get(key) ?? 0;
    return () => {
      const sent = (remote.mutations.get(key) ?? 0) - before;
      const wrong = checkRoundTrips({ sent, replaced: this.#replacements });
      if (wrong !== undefined) this.#violates(11, `${call} of key ${key} ${wrong}`);
    };
  }

  async #load(key: number, context: LoadContext): Promise<number> {
    const history = this.#history(key);
    const wrong = checkNewLoad(history, this.#clock.now());
    if (wrong !== undefined) this.#violates(1, `key ${key}: ${wrong}`);
    const origin = this.#values.begin("load", key);
    this.#tell(() => `load ${origin.born} of key ${key} begins`);
    const running = { born: origin.born, at: this.#clock.now() };
    history.loads.add(running);
    history.begin(origin.born);
    try {
      const gate: Gate = { kind: "load", keys: [key], born: origin.born, values: [] };
      const how = await this.#unlessAborted(this.#gates.pass(gate), context);
      if (how === "fail") throw new SourceError(`the source is down for load ${origin.born}`);
      if (how === "skip") context.skip();
      if (how === "refuse") origin.carriable = false;
      origin.storedAt = this.#clock.now();
      history.overtake(origin.born);
      return origin.born;
    } finally {
      history.loads.delete(running);
      history.loadsEnded += 1;
      history.end();
    }
  }

  #unlessAborted<T>(ending: Promise<T>, context: LoadContext): Promise<T> {
    if (!this.#listens) return ending;
    const { signal } = context;
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      ending.then(resolve, reject);
    });
  }

  /**
   * Checks promise 11: reads a value while no removal and no set of the key is carried out or
   * answered. Only the key's reads, its fills, and two of its loads may end: a running one, and the
   * read's own.
   */
  async #probe(key: number): Promise<void> {
    const history = this.#history(key);
    const asked = this.#values.born();
    const loadsBefore = history.loadsEnded;
    const readsBefore = this.#remotes.map(({ reads }) => reads.get(key) ?? 0);
    let isAnswered = false;
    void this.#read(key, "get").then(() => {
      isAnswered = true;
    });
    await turn();
    while (!isAnswered) {
      const requests = this.#gates.where((gate) => gate.kind !== "load" && this.#isOwn(gate, key, asked));
      const place = requests[0] ?? this.#nextLoad(key, asked, history.loadsEnded > loadsBefore);
      if (place === undefined) {
        this.#violates(11, `get ${asked} of key ${key} waits for the mutations of others`, key);
        return;
      }
      this.#open(place, "ok");
      await turn();
    }
    const loads = history.loadsEnded - loadsBefore;
    if (loads > 2) this.#violates(11, `get ${asked} of key ${key} has waited for ${loads} loads`, key);
    for (const [place, { reads }] of this.#remotes.entries()) {
      const count = (reads.get(key) ?? 0) - (readsBefore[place] ?? 0);
      if (count > 4) this.#violates(11, `get ${asked} of key ${key} has read a tier ${count} times`, key);
    }
  }

  /**
   * Returns the next load to end: the oldest or the youngest running one, then the read's own,
   * which began later.
   */
  #nextLoad(key: number, asked: number, oneHasEnded: boolean): number | undefined {
    const loads = this.#gates.where((gate) => gate.kind === "load" && gate.keys.includes(key));
    const own = loads.find((place) => (this.#gates.at(place)?.born ?? 0) > asked);
    if (oneHasEnded && own !== undefined) return own;
    return this.#probes === "oldest load first"
      ? loads[0]
      : (loads.findLast((place) => (this.#gates.at(place)?.born ?? 0) < asked) ?? own);
  }

  /**
   * Returns whether a plain read of the key may wait for the request. It waits for no removal, and
   * for no write that only a `set` waits for. A set's value that one remote tier has taken may be
   * on its way into another tier for a reader.
   */
  #isOwn({ kind, keys: concerned, born, values }: Gate, key: number, asked: number): boolean {
    if (kind === "remove" || !concerned.includes(key)) return false;
    return kind === "read" || born > asked || values.some((value) => !this.#isOfSet(value));
  }

  #isOfSet(value: number): boolean {
    const origin = this.#values.of(value);
    if (origin?.kind !== "set" || origin.settled) return false;
    return this.#remotes.length === 1 || !origin.taken;
  }

  /**
   * Opens every gate until nothing waits, then advances the time for everything that waits for it.
   */
  async #drain(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await turn();
      if (this.#gates.count > 0) {
        this.#gates.openAll();
        quiet = 0;
      } else {
        if (this.#unsettled === 0 && this.#clock.pending === 0) return;
        quiet += 1;
        this.#clock.advance(1);
      }
    }
  }

  #settles<T>(
    concerned: readonly number[],
    call: Promise<T>,
    { done, failed }: { done(value: T): void; failed(error: unknown): void },
  ): Promise<void> {
    this.#unsettled += 1;
    this.#each(concerned, (history) => history.begin(this.#values.born()));
    const end = () => {
      this.#unsettled -= 1;
      this.#each(concerned, (history) => history.end());
    };
    return call.then(
      (value) => {
        done(value);
        end();
      },
      (error) => {
        failed(error);
        end();
      },
    );
  }

  /** Fails the requests that wait, then those that a failed write or removal causes. */
  async #fail(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await turn();
      const requests = this.#gates.where(({ kind }) => kind !== "load");
      for (const place of requests.reverse()) this.#open(place, "fail");
    }
    await turn();
  }

  #open(which: number, how: Ending): void {
    const gate = this.#gates.open(which, how);
    if (gate === undefined) return;
    const { kind, keys: concerned, born, values } = gate;
    const what = values.length > 0 ? ` of ${values.join(", ")}` : "";
    this.#tell(() => `${kind} ${born}${what} of key ${concerned.join(", ")} continues: ${how}`);
  }

  #violates(promise: Violation["promise"], what: string, probed?: number): void {
    this.violations.push({ promise, what, probed });
    this.#tell(() => `BROKEN promise ${promise}: ${what}`);
  }

  #tell(line: () => string): void {
    this.#trace?.(line());
  }

  #each(concerned: readonly number[], body: (history: KeyHistory) => void): void {
    for (const key of concerned) body(this.#history(key));
  }

  #history(key: number): KeyHistory {
    const history = this.#histories[key];
    if (history === undefined) throw new Error(`The simulation has no key ${key}.`);
    return history;
  }
}
