import type { SimulatedCluster } from "../cluster/simulated-cluster.js";
import type { Actor } from "./actor.js";
import type { Calls } from "./calls.js";
import type { Freshness } from "./freshness.js";
import { numberIn } from "./origins.js";

/** The time after which no key backs off any more, in milliseconds. */
const quietTime = 10_000;

/** The milliseconds by which times may differ. */
const tolerance = 5;

/** The longest time until every breaker is closed and every owed removal is done, in milliseconds. */
const longestRest = 120_000;

/**
 * The rules on freshness that say what must happen. After any schedule they are checked in a quiet
 * cluster, in which nothing else can cause or keep back a load.
 */
export class QuietChecks {
  readonly #cluster: SimulatedCluster;
  readonly #calls: Calls;
  readonly #freshness: Freshness;
  readonly #actor: Actor;

  constructor(cluster: SimulatedCluster, calls: Calls, freshness: Freshness) {
    this.#cluster = cluster;
    this.#calls = calls;
    this.#freshness = freshness;
    this.#actor = calls.history.actor(0);
  }

  /** Every call has been answered, and everything is connected. */
  async run(): Promise<void> {
    if (!(await this.#rest())) return;
    const { threshold, whileRevalidate, soft, hard } = this.#freshness;
    if (threshold !== undefined) await this.#checkRefreshAhead(threshold);
    if (whileRevalidate > 0) await this.#checkBackOff(whileRevalidate);
    if (soft !== undefined) await this.#checkSoftTimeout(soft);
    if (hard !== undefined) await this.#checkHardTimeout(hard);
    await this.#checkExpire();
    await this.#checkOwnTtl();
    await this.#checkErrorTtl();
    await this.#checkBound();
  }

  /**
   * Lets every back-off end, every breaker close, and every owed removal be repeated. A removal that
   * is repeated later would end another process's lease, and so allow a second load.
   */
  async #rest(): Promise<boolean> {
    // Without a failed load no key backs off.
    const shortest = this.#calls.failedLoads > 0 ? quietTime : 0;
    for (let passed = 0; passed < longestRest; passed += quietTime / 10) {
      if (passed >= shortest && this.#calls.history.actors.every(isAtRest)) return true;
      await this.#pass(quietTime / 10);
    }
    this.#calls.violates(
      4,
      `a storage is not called, or owes a removal, ${longestRest} ms after all trouble`,
    );
    return false;
  }

  /** Reads just before the end of the window, while the source is down, and just after it. */
  async #checkBound(): Promise<void> {
    const { ttl, window } = this.#freshness;
    if (window === 0 || !(await this.#renew())) return;
    await this.#pass(ttl + window - 50);
    this.#calls.read(this.#actor, 0, "get");
    await this.#endAll("fail");
    await this.#pass(100);
    await this.#read(); // The rule on ages checks its answer.
  }

  /** A read after an `expire` loads the value again. */
  async #checkExpire(): Promise<void> {
    if (!(await this.#renew())) return;
    this.#calls.changes.expire(this.#actor, 0);
    await this.#endAll("arrive");
    await this.#expectLoad("an expire");
  }

  /** A read after a value's own ttl loads it again. */
  async #checkOwnTtl(): Promise<void> {
    const { ttl, shouldCache } = this.#freshness.retention;
    if (ttl === undefined || shouldCache !== undefined) return;
    await this.#refresh((value) => ttl(value) < this.#freshness.ttl);
    await this.#pass(ttl(this.#calls.lastLoad) + tolerance);
    await this.#expectLoad("the value's own ttl");
  }

  /** A read loads nothing while a server keeps an error. A read after that time loads again. */
  async #checkErrorTtl(): Promise<void> {
    const { retention, errorsKeptFor } = this.#freshness;
    const { errorTtl } = retention;
    if (errorTtl === undefined) return;
    this.#calls.changes.invalidate(this.#actor, 0);
    await this.#endAll("arrive");
    this.#calls.read(this.#actor, 0, "get");
    await this.#endAll("fail");
    const before = this.#calls.loads;
    await this.#pass(errorsKeptFor / 2);
    if (errorsKeptFor > 0) await this.#read();
    if (this.#calls.loads > before)
      this.#calls.violates("freshness", "a load has begun while an error was to be kept");
    await this.#pass(errorTtl - errorsKeptFor / 2 + tolerance);
    await this.#expectLoad("the errorTtl");
  }

  async #expectLoad(after: string): Promise<void> {
    const before = this.#calls.loads;
    await this.#read();
    if (this.#calls.loads === before) this.#calls.violates("freshness", `no load has begun after ${after}`);
  }

  /** A reader of a long load gets the stale value after the soft time. The load goes on. */
  async #checkSoftTimeout(soft: number): Promise<void> {
    const { ttl, whileRevalidate, window } = this.#freshness;
    if (whileRevalidate === window || !(await this.#renew())) return;
    await this.#pass(ttl + (whileRevalidate + window) / 2);
    await this.#readFor(soft);
    if (this.#calls.unsettled > 0)
      this.#calls.violates("freshness", `no stale value after a soft time of ${soft} ms`);
    await this.#endAll("arrive");
  }

  /** A reader of a load that does not end gets an error after the hard time. */
  async #checkHardTimeout(hard: number): Promise<void> {
    this.#calls.changes.invalidate(this.#actor, 0);
    await this.#endAll("arrive");
    await this.#readFor(hard);
    if (this.#calls.unsettled > 0) this.#calls.violates(5, `a read waits longer than ${hard} ms for a load`);
    await this.#endAll("arrive");
  }

  /** Reads for a time in which no load ends. */
  async #readFor(ms: number): Promise<void> {
    this.#calls.read(this.#actor, 0, "get");
    await this.#endRequests();
    const { time } = this.#cluster;
    const until = time.now + ms + tolerance;
    while (time.now < until) {
      time.advance(Math.min(time.next ?? until, until) - time.now);
      await this.#endRequests();
    }
  }

  /** A read near the expiry loads the value again. */
  async #checkRefreshAhead(threshold: number): Promise<void> {
    const { ttl } = this.#freshness;
    if (!(await this.#renew())) return;
    const before = this.#calls.loads;
    await this.#pass(ttl * ((1 + threshold) / 2));
    for (let read = 0; read < 2; read++) await this.#read();
    if (this.#calls.loads === before)
      this.#calls.violates("freshness", `no load has begun after ${threshold} of the lifetime`);
  }

  /**
   * One process of the cluster loads a stale value again. After the load has failed, reads get the stale
   * value and start no load.
   */
  async #checkBackOff(whileRevalidate: number): Promise<void> {
    const { ttl } = this.#freshness;
    if (!(await this.#renew())) return;
    await this.#pass(ttl + whileRevalidate / 2);
    const before = this.#calls.loads;
    // Every process reads the stale value. The first one starts before the others.
    const { actors } = this.#calls.history;
    for (const actor of actors) {
      this.#calls.read(actor, 0, "get");
      await this.#endRequests();
    }
    const begun = this.#calls.loads - before;
    if (begun !== 1) {
      const what = `${actors.length} processes with a stale value have started ${begun} loads`;
      this.#calls.violates("freshness", what);
      return;
    }
    await this.#endAll("fail");
    const failed = this.#calls.loads;
    for (let read = 0; read < 3; read++) await this.#read();
    if (this.#calls.loads > failed)
      this.#calls.violates("freshness", "a load has begun while the key was to back off");
  }

  /** Loads a value of the first key that is to be kept. Returns whether each server has taken it. */
  async #renew(): Promise<boolean> {
    const { ttl, shouldCache } = this.#freshness.retention;
    const isKept = await this.#refresh(
      (value) => shouldCache?.(value) !== false && (ttl === undefined || ttl(value) >= this.#freshness.ttl),
    );
    const isTaken = [...this.#cluster.servers.values()].every((server) =>
      server.keys().some((key) => this.#isNew(server.stored(key).bytes)),
    );
    if (!isTaken && isKept) this.#calls.violates("freshness", "a refresh without any trouble was not stored");
    return isTaken && isKept;
  }

  /** Refreshes the first key until it has such a value. Returns whether it has. */
  async #refresh(isWanted: (value: number) => boolean): Promise<boolean> {
    for (let attempt = 0; attempt < 20; attempt++) {
      this.#calls.read(this.#actor, 0, "refresh");
      await this.#endAll("arrive");
      if (isWanted(this.#calls.lastLoad)) return true;
    }
    return false;
  }

  /** Returns whether the bytes are a value of the first key that was stored just now. */
  #isNew(bytes: Uint8Array | undefined): boolean {
    const origin = bytes && this.#calls.history.origins.of(numberIn(bytes));
    return origin?.key === 0 && origin.keptAt === this.#cluster.time.now;
  }

  async #read(): Promise<void> {
    this.#calls.read(this.#actor, 0, "get");
    await this.#endAll("arrive");
  }

  /** Lets time pass. Every message arrives at once, so that no request reaches its deadline. */
  async #pass(ms: number): Promise<void> {
    const { time } = this.#cluster;
    const until = time.now + ms;
    while (time.now < until) {
      time.advance(Math.min(time.next ?? until, until) - time.now);
      await this.#cluster.settle();
    }
  }

  /** Lets every message arrive, and no load end. */
  async #endRequests(): Promise<void> {
    const { network } = this.#cluster;
    await this.#cluster.turn();
    while (network.endWhere("arrive", ({ kind }) => kind !== "load") > 0) await this.#cluster.turn();
  }

  /** Lets every message arrive, and every load end so. */
  async #endAll(how: "arrive" | "fail"): Promise<void> {
    const { network } = this.#cluster;
    await this.#cluster.turn();
    let ended: number;
    do {
      ended = network.endWhere("arrive", ({ kind }) => kind !== "load");
      ended += network.endWhere(how, ({ kind }) => kind === "load");
      await this.#cluster.turn();
    } while (ended > 0);
  }
}

/** Returns whether a process calls every storage, and has repeated every removal that had failed. */
function isAtRest({ process }: Actor): boolean {
  return process.cacheme
    .storages()
    .every(
      ({ breaker, pendingRemovals }) =>
        breaker !== "open" && breaker !== "half-open" && pendingRemovals === 0,
    );
}
