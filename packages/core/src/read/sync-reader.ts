import type { Clock } from "../clock.js";
import { milliseconds } from "../duration.js";
import { LoadCycleError, LoadError } from "../errors.js";
import type { Events } from "../events.js";
import { nodeLabel } from "../node/key.js";
import type { LoadContext, Node } from "../node/node.js";
import type { LoadSpace } from "../node/reads.js";
import { isThenable } from "../node/thenable.js";
import { Operation } from "../plan/operation.js";
import type { Plan } from "../plan/plan.js";
import type { Filler } from "../write/fill.js";
import type { LoadOverride } from "./flight.js";
import { runSynchronously } from "./load-frame.js";
import { ReaderValues } from "./reader-values.js";

/** Loads on the spot what no local tier has, for `getSync`. */
export class SyncReader {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #filler: Filler;
  readonly #space: LoadSpace;
  readonly #values = new ReaderValues();
  /** The nodes being loaded, outermost first: a synchronous load that reads itself would never end. */
  readonly #loading: { readonly plan: Plan; readonly key: string }[] = [];

  constructor(clock: Clock, events: Events, filler: Filler, space: LoadSpace) {
    this.#space = space;
    this.#clock = clock;
    this.#events = events;
    this.#filler = filler;
  }

  /**
   * @throws LoadError `CACHEME_NOT_SYNCHRONOUS` where a tier is remote, or the load returned a promise
   * @throws SerializationError for a value that can be read only once, such as a stream
   */
  load(plan: Plan, node: Node, key: string, override: LoadOverride | undefined): unknown {
    const details = { node: plan.name, key };
    const [remote] = plan.remoteTiers;
    if (remote !== undefined) {
      throw new LoadError(
        "CACHEME_NOT_SYNCHRONOUS",
        `${nodeLabel(plan.name, key)} cannot be read synchronously: its storage "${remote.name}" is remote. ` +
          "Use get, or keep the class in memory storages only.",
        details,
      );
    }
    const load = override ?? node.load?.bind(node);
    if (load === undefined) {
      throw new LoadError(
        "CACHEME_NO_LOAD",
        `${nodeLabel(plan.name, key)} is in no local tier, and its class has no load of its own. ` +
          "Give the class one that returns no promise, or read it with getSync(node, { load }).",
        details,
      );
    }
    this.#refuseCycle(plan, key);
    const operation = new Operation();
    plan.operations.begin(key, operation);
    this.#loading.push({ plan, key });
    const said: { ttl: number | undefined; skip: boolean } = { ttl: undefined, skip: false };
    if (this.#events.listeners.miss !== null) {
      this.#events.emit("miss", { node: plan.name, key, readers: 1 });
    }
    const began = this.#clock.elapsed();
    let outcome: { readonly error?: unknown } = {};
    try {
      const context = this.#context(said, nodeLabel(plan.name, key));
      const value = runSynchronously(this.#space, () => load(context));
      if (isThenable(value)) {
        Promise.resolve(value).catch(() => {}); // The answer below tells what is wrong; its own failure matters no more.
        throw new LoadError(
          "CACHEME_NOT_SYNCHRONOUS",
          `The load of ${nodeLabel(plan.name, key)} returned a promise, which getSync cannot wait for. Use get.`,
          details,
        );
      }
      this.#values.loaded(plan, key, value);
      if (!said.skip && (plan.doorkeeper === undefined || plan.doorkeeper.admits(key))) {
        this.#fill(plan, key, value, operation, said.ttl);
      }
      return value;
    } catch (error) {
      outcome = { error };
      throw error;
    } finally {
      this.#record(plan, key, this.#clock.elapsed() - began, outcome);
      this.#loading.pop();
      plan.operations.end(key, operation);
    }
  }

  #record(plan: Plan, key: string, duration: number, outcome: { readonly error?: unknown }): void {
    const failed = "error" in outcome;
    plan.stats.misses += 1;
    plan.stats.recordLoad(duration, failed ? 0 : 1, failed ? 1 : 0);
    const loaded = { node: plan.name, keys: [key], duration };
    if (failed && this.#events.listeners.loadError !== null) {
      this.#events.emit("loadError", { ...loaded, error: outcome.error });
    } else if (!failed && this.#events.listeners.load !== null) {
      this.#events.emit("load", loaded);
    }
  }

  #fill(plan: Plan, key: string, value: unknown, operation: Operation, ttl: number | undefined): void {
    const now = this.#clock.now();
    const limit = ttl === undefined ? Number.POSITIVE_INFINITY : now + ttl;
    const before = plan.tiers.length;
    const explicit = ttl !== undefined;
    this.#filler.fill(
      { plan, key, operation, value, writtenAt: now, before, limit, explicit, overtakes: true },
      () => {},
    );
  }

  #context(said: { ttl: number | undefined; skip: boolean }, label: string): LoadContext {
    const { get, getAll, peek, inject } = this.#space;
    return {
      get,
      getAll,
      peek,
      inject,
      // Nobody can leave while a synchronous load runs, so the signal never aborts.
      get signal() {
        return new AbortController().signal;
      },
      previous: undefined,
      ttl: (duration) => {
        said.ttl = milliseconds(duration, `ttl given in the load of ${label}`);
      },
      skip: () => {
        said.skip = true;
      },
    };
  }

  #refuseCycle(plan: Plan, key: string): void {
    const from = this.#loading.findIndex((outer) => outer.plan.kind === plan.kind && outer.key === key);
    if (from === -1) return;
    const way = [...this.#loading.slice(from), { plan, key }];
    const labels = way.map((step) => nodeLabel(step.plan.name, step.key));
    throw new LoadCycleError(labels, { node: plan.name, key });
  }
}
