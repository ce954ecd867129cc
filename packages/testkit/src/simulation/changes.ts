import { SourceError } from "../cluster/hold.js";
import type { Actor } from "./actor.js";
import { give } from "./answer-check.js";
import type { Calls, SimulationParts } from "./calls.js";
import type { Invalidation } from "./invalidations.js";
import { isOlder, numberIn, type Origin } from "./origins.js";
import { keys } from "./schedule.js";
import { tag } from "./simulated-node.js";

/** Makes the calls that change values, and holds their ends against the promises. */
export class Changes {
  readonly #calls: Calls;
  readonly #parts: SimulationParts;

  constructor(calls: Calls, parts: SimulationParts) {
    this.#calls = calls;
    this.#parts = parts;
  }

  set(actor: Actor, key: number): void {
    const origin = this.#begins(actor, key, "set");
    const call = actor.process.cacheme.set(this.#parts.node(key), origin.born);
    this.#calls.settles(actor, [key], [key], call, {
      done: () => this.#isStored(actor, origin, "set"),
      failed: (error) => this.#isIncomplete(actor, origin, "set", error),
    });
  }

  /** Saves a value. One that the tiers do not get also invalidates the key. */
  save(actor: Actor, key: number): void {
    const { history } = this.#calls;
    const around = this.#parts.write === "around" ? history.invalidate(actor, { key }) : undefined;
    const origin = this.#begins(actor, key, "save");
    const call = actor.process.cacheme.save(this.#parts.node(key), origin.born);
    this.#calls.settles(actor, [key], [key], call, {
      done: () => {
        if (around !== undefined) this.#isDone(around, key);
        this.#isStored(actor, origin, "save");
      },
      failed: (error) => {
        if (error instanceof SourceError) {
          origin.isRefused = true;
          if (around !== undefined) history.forgets(around);
          this.#calls.tell(() => `save ${origin.born} is refused by the source`);
          return;
        }
        if (around !== undefined) history.settles(around, false);
        this.#isIncomplete(actor, origin, "save", error);
      },
    });
  }

  /** Writes a saved value into the source. */
  async writeSource(actor: Actor, key: number, value: number): Promise<void> {
    const { origins } = this.#calls.history;
    const origin = origins.of(value);
    if (origin !== undefined) origin.from = origins.next();
    await actor.process.hold("save", [`key${key}`]);
  }

  invalidate(actor: Actor, key: number): void {
    const invalidation = this.#calls.history.invalidate(actor, { key });
    this.#invalidates(invalidation, [key], `key ${key}`, () =>
      actor.process.cacheme.invalidate(this.#parts.node(key)),
    );
  }

  invalidateTag(actor: Actor): void {
    const invalidation = this.#calls.history.invalidate(actor, { tag });
    this.#invalidates(invalidation, keys, "the tag", () => actor.process.cacheme.invalidateTags(tag));
  }

  /** Invalidates the keys that match a pattern: all of the class, or those like one of them. */
  invalidateMatching(actor: Actor, key: number | undefined): void {
    const { cacheme } = actor.process;
    const invalidation = this.#calls.history.invalidate(actor, { key, isWide: true });
    const concerned = key === undefined ? keys : [key];
    this.#invalidates(invalidation, concerned, key === undefined ? "the class" : `key${key}*`, () =>
      key === undefined
        ? cacheme.invalidateAll(this.#parts.nodeClass)
        : cacheme.invalidateMatching(`simulated:key${key}*`),
    );
  }

  /** Makes the entries of a key stale. Those of a class without stale values are removed. */
  expire(actor: Actor, key: number): void {
    const { history } = this.#calls;
    const expire = () => actor.process.cacheme.expire(this.#parts.node(key));
    if (this.#parts.freshness === undefined) {
      this.#invalidates(history.invalidate(actor, { key }), [key], `key ${key} by expire`, expire);
      return;
    }
    const called = history.origins.next();
    const taken = history.origins.takenOf(key);
    this.#calls.tell(() => `${actor.name} calls expire ${called} of key ${key}`);
    this.#calls.settles(actor, [key], [key], expire(), {
      done: () => {
        for (const origin of taken) origin.expiredAt ??= this.#parts.cluster.time.now;
        this.#calls.tell(() => `expire ${called} resolves`);
      },
      failed: (error) =>
        this.#calls.expects(error, "CACHEME_INVALIDATION_INCOMPLETE", `expire ${called} of ${actor.name}`),
    });
  }

  #begins(actor: Actor, key: number, what: "set" | "save"): Origin {
    const { origins } = this.#calls.history;
    const origin = origins.begin(what, key, actor, this.#parts.tags === "before" ? [tag] : []);
    this.#calls.tell(() => `${actor.name} calls ${what} ${origin.born} of key ${key}`);
    return origin;
  }

  #isStored(actor: Actor, origin: Origin, what: string): void {
    const { history } = this.#calls;
    this.#ends(origin);
    this.#calls.tell(() => `${what} ${origin.born} resolves (${origin.ended})`);
    if (history.isPromised(origin.born)) give(actor, origin.key, origin, origin.ended);
  }

  #isIncomplete(actor: Actor, origin: Origin, what: string, error: unknown): void {
    this.#ends(origin);
    this.#calls.tell(() => `${what} ${origin.born} rejects (${origin.ended})`);
    this.#calls.expects(error, "CACHEME_WRITE_INCOMPLETE", `${what} ${origin.born} of ${actor.name}`);
  }

  #ends(origin: Origin): void {
    origin.ended = this.#calls.history.origins.next();
    origin.storedAt = this.#parts.cluster.time.now;
  }

  #invalidates(
    invalidation: Invalidation,
    concerned: readonly number[],
    what: string,
    begin: () => Promise<unknown>,
  ): void {
    const { history } = this.#calls;
    const { actor, called, isWide } = invalidation;
    this.#calls.tell(() => `${actor.name} calls invalidation ${called} of ${what}`);
    this.#calls.settles(actor, concerned, concerned, begin(), {
      done: () => this.#isDone(invalidation, invalidation.key),
      failed: (error) => {
        // Nothing is promised about the rest of a pattern: the caller calls again.
        if (isWide) history.forgets(invalidation);
        else history.settles(invalidation, false);
        this.#calls.tell(() => `invalidation ${called} rejects (${invalidation.settled})`);
        const name = `invalidation ${called} of ${actor.name}`;
        this.#calls.expects(error, "CACHEME_INVALIDATION_INCOMPLETE", name);
      },
    });
  }

  #isDone(invalidation: Invalidation, key: number | undefined): void {
    const { history } = this.#calls;
    history.settles(invalidation, true);
    this.#calls.tell(() => `invalidation ${invalidation.called} resolves (${invalidation.settled})`);
    if (!history.isPromised(invalidation.called) || invalidation.tag !== undefined) return;
    for (const each of key === undefined ? keys : [key]) this.#checkTruth(invalidation, each);
  }

  /** Checks promise 4 when an invalidation resolves: no server holds an older value. */
  #checkTruth({ actor, called }: Invalidation, key: number): void {
    for (const server of this.#parts.cluster.servers.values()) {
      for (const stored of server.keys()) {
        const { bytes } = server.stored(stored);
        const origin = bytes === undefined ? undefined : this.#calls.history.origins.of(numberIn(bytes));
        if (origin?.key !== key || !isOlder(origin, called, actor)) continue;
        const what = `${server.name} has ${origin.kind} ${origin.born}`;
        this.#calls.violates(4, `invalidation ${called} of ${actor.name} resolves, but ${what}`);
      }
    }
  }
}
